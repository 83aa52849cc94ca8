import { TcpFlag } from "../decode/segment.ts";
import { CAUSES, type Cause, Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { TransactionCopy } from "../transactions/transaction-copy.ts";
import type { Ladder } from "./ladder.ts";
import { type Phase, phasesOf } from "./phases.ts";
import { isElision, type Rung } from "./steps.ts";

/** All that is told of one request. */
export interface Account {
  readonly request: TransactionCopy;
  /** The request that it waited behind, or null. */
  readonly behind: TransactionCopy | null;
  readonly ladder: Ladder;
  readonly phases: readonly Phase[];
  /** Of an unanswered one: "unknown". */
  readonly cause: Cause;
  /** From the request's first byte until its response has come, or it was given up, in µs. */
  readonly wholeUs: number;
}

const ENDING = TcpFlag.fin | TcpFlag.rst;

export function accountOf(request: TransactionCopy, behind: TransactionCopy | null, ladder: Ladder): Account {
  const isAnswered = request.unanswered === "";
  const cause = isAnswered ? CAUSES[new Shares().split(request).causeId]! : "unknown";
  return { request, behind, ladder, phases: phasesOf(request, ladder), cause, wholeUs: wholeOf(request, ladder) };
}

/** The latency; of an unanswered one how long it had waited until its connection ended, or was given up. In µs. */
function wholeOf({ unanswered, latencyUs, waitedUs }: Transaction, { steps }: Ladder): number {
  if (unanswered === "") return latencyUs;
  const end = steps.find((step): step is Rung => !isElision(step) && step.atUs > 0 && (step.flags & ENDING) !== 0);
  return Math.max(waitedUs, end?.atUs ?? 0);
}

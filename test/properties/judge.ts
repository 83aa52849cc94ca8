import { Flag } from "../../src/transactions/transaction.ts";
import type { Finished, Result } from "./run.ts";
import { PARTIAL } from "./run.ts";
import type { Simulation, TruePair } from "./simulation.ts";

/**
 * What a result says that is not true, a sentence each: a request that was never sent or is told twice, a pair that is none, a
 * time that is not its first or last byte's. Frames may be missing; then results may be missing, too, and nothing else.
 */
export function falsehoods(result: Result, truth: Simulation): string[] {
  const lies = [...new Set(result.violations)];
  const told = new Set<TruePair>();
  for (const one of result.finished) {
    const pair = requestOf(one, truth.pairs, told);
    if (pair === null) {
      // A capture that begins in the middle of a value may take it for a request; it must find out before it pairs it.
      if (one.unanswered !== "" && (one.flags & Flag.midstream) !== 0) continue;
      lies.push(`no such request: ${show(one)}`);
      continue;
    }
    told.add(pair);
    if (one.unanswered === "") lies.push(...wrongAnswer(one, pair));
  }
  if (result.requests !== result.finished.length)
    lies.push(`${result.requests} requests, ${result.finished.length} told`);
  return lies;
}

/** The true request that a record speaks of: by its key, and where that could not be seen, by its first byte's time. */
function requestOf(one: Finished, pairs: readonly TruePair[], told: ReadonlySet<TruePair>): TruePair | null {
  const key = /^(?:GET|SET) (k\d+)$/i.exec(one.text)?.[1];
  const isWhole = (one.flags & PARTIAL) === 0;
  const likely = pairs.filter((pair) => !told.has(pair) && pair.startUs === one.startUs);
  // Of several that began in one segment a part may be told: the key says which, where it can be seen.
  const named = likely.find((pair) => pair.key === key && (!isWhole || isLong(pair, one.requestBytes)));
  if (named !== undefined) return named;
  // Of a segment's requests it is the last one that is cut off; what is told later may be of an earlier one.
  return isWhole ? null : (likely.find((pair) => pair.endUs === one.endUs) ?? likely.at(-1) ?? null);
}

function isLong({ requestFrom, requestTo }: TruePair, bytes: number): boolean {
  return requestTo - requestFrom === bytes;
}

function wrongAnswer(one: Finished, pair: TruePair): string[] {
  const lies: string[] = [];
  const is = (what: string, told: number | boolean, real: number | boolean): void => {
    if (told !== real) lies.push(`${what} ${told} is not ${real}: ${show(one)}`);
  };
  const isWhole = (one.flags & PARTIAL) === 0;
  is("end", one.endUs, pair.endUs);
  is("latency", one.latencyUs, Math.max(0, pair.endUs - pair.startUs));
  if (one.latencyUs !== one.sendUs + one.waitUs + one.receiveUs) lies.push(`parts do not add up: ${show(one)}`);
  if (isWhole) {
    is("response bytes", one.responseBytes, pair.responseTo - pair.responseFrom);
    is("error", one.isError, pair.isError);
  }
  return lies;
}

/** What must come of a capture without loss: every pair, in order, with its times. */
export function expected(truth: Simulation): unknown[] {
  return truth.pairs.map((pair) => ({
    id: `1-${pair.index + 1}`,
    key: pair.key,
    isError: pair.isError,
    startUs: pair.startUs,
    endUs: pair.endUs,
    sendUs: pair.requestEndUs - pair.startUs,
    receiveUs: pair.endUs - pair.responseStartUs,
    requestBytes: pair.requestTo - pair.requestFrom,
    responseBytes: pair.responseTo - pair.responseFrom,
  }));
}

/** The same of what was told. */
export function told(result: Result): unknown[] {
  return result.finished.map((one) => ({
    id: one.id,
    key: one.unanswered === "" ? one.text.replace(/^\w+ /, "") : one.unanswered,
    isError: one.isError,
    startUs: one.startUs,
    endUs: one.endUs,
    sendUs: one.sendUs,
    receiveUs: one.receiveUs,
    requestBytes: one.requestBytes,
    responseBytes: one.responseBytes,
  }));
}

function show(one: Finished): string {
  const reply = one.unanswered === "" ? `${one.responseBytes} bytes at ${one.endUs}` : one.unanswered;
  return `${one.id} "${one.text}" at ${one.startUs}, ${reply}, flags ${one.flags}`;
}

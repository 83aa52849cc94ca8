import { milliseconds, requestText } from "../outputs/plain-text.ts";
import { idText } from "../transactions/names.ts";
import { CAUSES, Shares } from "../transactions/shares.ts";
import type { TransactionCopy } from "../transactions/transaction-copy.ts";
import { type Ranking, tookUs } from "./find.ts";
import type { Look } from "./paint.ts";

/** The ones that come next, a line each, and how to ask for them. */
export function rankingText({ next, among }: Ranking, look: Look): string {
  if (among === 1) return "It is the only request of class normal in this capture.";
  const ids = next.map(idText);
  const times = next.map((request) => milliseconds(tookUs(request)));
  const lines = next.map((request, index) => {
    const id = ids[index]!.padEnd(width(ids));
    return `  ${id}  ${times[index]!.padStart(width(times))} ms  ${causeText(request)}  ${requestText(request)}`.slice(
      0,
      look.columns,
    );
  });
  return [`The slowest of ${among} requests of class normal. Next are (explain takes an id):`, ...lines].join("\n");
}

/** As the headline says it. */
function causeText(request: TransactionCopy): string {
  const cause = causeOf(request);
  return cause === "unknown" ? "server or network" : cause;
}

function width(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}

/** What took most of its time, in one word. */
export function causeOf(request: TransactionCopy): string {
  if (request.unanswered !== "") return `unanswered, ${request.unanswered}`;
  return CAUSES[new Shares().split(request).causeId]!;
}

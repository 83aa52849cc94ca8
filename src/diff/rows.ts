import { TransactionClass } from "../protocols/protocol.ts";
import type { Comparison, Side } from "./comparison.ts";

/** A request to be shown: which sides saw it, and where. -1 where one did not. */
export interface Row {
  readonly client: number;
  readonly server: number;
}

/**
 * All requests, in the order in which they began by the client's clock; those that only the server saw come last. With a threshold those that
 * were as slow at the client (at the server where only that saw them), and those without an answer; nothing that waits on purpose.
 */
export function* rowsOf(comparison: Comparison, thresholdUs: number | null): Generator<Row> {
  const { client, server } = comparison;
  for (const mine of client.records.ordered("startUs")) {
    if (isShown(comparison, "client", mine, thresholdUs)) {
      yield { client: mine, server: comparison.otherOf("client", mine) };
    }
  }
  for (const theirs of server.records.ordered("startUs")) {
    const isJoined = comparison.otherOf("server", theirs) >= 0;
    if (!isJoined && isShown(comparison, "server", theirs, thresholdUs)) yield { client: -1, server: theirs };
  }
}

function isShown(comparison: Comparison, side: Side, index: number, thresholdUs: number | null): boolean {
  if (thresholdUs === null) return true;
  const { records } = comparison[side];
  const of = records.get(index, "class");
  if (of === TransactionClass.blocking || of === TransactionClass.stream) return false;
  return !(records.get(index, "latencyUs") < thresholdUs);
}

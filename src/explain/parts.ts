import { distance } from "../connection/sequence.ts";
import type { TransactionCopy } from "../transactions/transaction-copy.ts";

/** What of a message a segment carries. */
export interface Part {
  readonly what: "request" | "response" | "request in front" | "response in front" | "earlier" | "later" | "data";
  /** Of the message's bytes, from 0: [from, to) of `of`; all 0 where its bounds are not known. */
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

interface Message {
  readonly what: Part["what"];
  readonly sequence: number;
  readonly bytes: number;
  /** Sequence numbers come again after 4 GiB: far from here it is another message's. */
  readonly fromUs: number;
}

/** Tells which messages' bytes a segment carries: of one request, of the one in front of it, and of others. */
export class Parts {
  readonly #requests: readonly Message[];
  readonly #responses: readonly Message[];

  constructor(of: TransactionCopy, inFront: TransactionCopy | null) {
    this.#requests = [...messages(inFront, "request", " in front"), ...messages(of, "request", "")];
    this.#responses = [...messages(inFront, "response", " in front"), ...messages(of, "response", "")];
  }

  /** In the order of the bytes. */
  of(isFromClient: boolean, sequence: number, length: number, timeUs: number): Part[] {
    const known = isFromClient ? this.#requests : this.#responses;
    const own = known.at(-1);
    if (own === undefined) return [{ what: "data", from: 0, to: 0, of: 0 }];
    const found: Part[] = [];
    const start = distance(sequence, own.sequence | 0);
    if (start < 0 && known.every((each) => distance(sequence, each.sequence | 0) < 0)) found.push(bounds("earlier"));
    for (const { what, sequence: first, bytes } of known) {
      const from = Math.max(0, distance(sequence, first | 0));
      const to = Math.min(bytes, distance(sequence, first | 0) + length);
      if (from < to) found.push({ what, from, to, of: bytes });
    }
    if (start + length > own.bytes) found.push(bounds(timeUs < own.fromUs ? "earlier" : "later"));
    // Between the one in front and this one there may be others.
    return found.length === 0 ? [bounds("earlier")] : found;
  }
}

function bounds(what: Part["what"]): Part {
  return { what, from: 0, to: 0, of: 0 };
}

function messages(of: TransactionCopy | null, kind: "request" | "response", where: "" | " in front"): Message[] {
  if (of === null) return [];
  const sequence = kind === "request" ? of.requestSequence : of.responseSequence;
  if (sequence === null) return [];
  const bytes = kind === "request" ? of.requestBytes : of.responseBytes;
  return [{ what: `${kind}${where}`, sequence, bytes, fromUs: of.startUs }];
}

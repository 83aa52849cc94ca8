import { TcpFlag } from "../decode/segment.ts";
import { type Elision, isElision, isSentAgain, type Rung } from "./steps.ts";

/**
 * Of many segments the first and the last are kept, and between them those that tell something: so many of each kind and direction,
 * since of a large message on a bad line every second one does.
 */
const HEAD = 24;
const TAIL = 16;
const NOTABLE = 5;

/** Keeps a bounded number of segments, however many come. */
export class Selection {
  readonly #steps: (Rung | Elision)[] = [];
  #tail: Rung[] = [];
  /** How many of each kind are kept. */
  readonly #notable = new Map<string, number>();

  add(rung: Rung): void {
    if (this.#steps.length < HEAD) {
      this.#steps.push(rung);
      return;
    }
    this.#tail.push(rung);
    if (this.#tail.length > TAIL) this.#settle(this.#tail.shift()!);
  }

  end(): readonly (Rung | Elision)[] {
    return [...this.#steps, ...this.#tail];
  }

  #settle(rung: Rung): void {
    if (this.#isWanted(rung)) {
      this.#steps.push(rung);
      return;
    }
    const last = this.#steps.at(-1);
    const isJoined = last !== undefined && isElision(last);
    const before = isJoined ? last : { elided: 0, fromClientBytes: 0, fromServerBytes: 0, retransmissions: 0 };
    if (isJoined) this.#steps.pop();
    this.#steps.push({
      elided: before.elided + 1,
      fromClientBytes: before.fromClientBytes + (rung.isFromClient ? rung.bytes : 0),
      fromServerBytes: before.fromServerBytes + (rung.isFromClient ? 0 : rung.bytes),
      retransmissions: before.retransmissions + (isSentAgain(rung) ? 1 : 0),
    });
  }

  /** Whether it tells something that has not been told often enough. */
  #isWanted(rung: Rung): boolean {
    const kinds = kindsOf(rung);
    const isNew = kinds.some((kind) => (this.#notable.get(kind) ?? 0) < NOTABLE);
    if (isNew) for (const kind of kinds) this.#notable.set(kind, (this.#notable.get(kind) ?? 0) + 1);
    return isNew;
  }
}

/** What tells something about this segment, by kinds; a series of duplicate acknowledgements is told by its first. */
function kindsOf({ flags, oddities, isFromClient }: Rung): string[] {
  const notable = oddities.filter((oddity) => oddity.what !== "duplicate_ack" || oddity.times === 1);
  const kinds: string[] = notable.map(({ what }) => what);
  if ((flags & (TcpFlag.syn | TcpFlag.fin | TcpFlag.rst)) !== 0) kinds.push("flags");
  return kinds.map((kind) => `${kind} of the ${isFromClient ? "client" : "server"}`);
}

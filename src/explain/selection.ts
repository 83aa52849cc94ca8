import { TcpFlag } from "../decode/segment.ts";
import type { Rung } from "./ladder.ts";

/** Of many segments the first and the last are kept, and between them those that tell something. */
const HEAD = 40;
const TAIL = 30;
const NOTABLE = 100;

/** Segments that are only counted. */
export interface Elision {
  readonly elided: number;
  readonly fromClientBytes: number;
  readonly fromServerBytes: number;
  /** Of them, sent again. */
  readonly retransmissions: number;
}

/** Whether a step stands for several segments that are only counted. */
export function isElision(step: Rung | Elision): step is Elision {
  return "elided" in step;
}

/** Keeps a bounded number of segments, however many come. */
export class Selection {
  readonly #steps: (Rung | Elision)[] = [];
  #tail: Rung[] = [];
  #notable = 0;

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
    if (this.#notable < NOTABLE && isNotable(rung)) {
      this.#notable++;
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
}

/** Whether these bytes had been sent before. */
export function isSentAgain(rung: Rung): boolean {
  return rung.oddities.some(({ what }) => what.startsWith("retransmission"));
}

function isNotable(rung: Rung): boolean {
  if ((rung.flags & (TcpFlag.syn | TcpFlag.fin | TcpFlag.rst)) !== 0) return true;
  return rung.oddities.some((oddity) => oddity.what !== "duplicate_ack" || oddity.times === 1);
}

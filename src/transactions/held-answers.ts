import { ResponseDraft } from "./response-draft.ts";

/** An answered request that is not told yet: its entry in the pool, and its response. */
export interface HeldAnswer {
  readonly entry: number;
  readonly response: ResponseDraft;
  readonly responseBytes: number;
  readonly errorId: number;
}

/** With so many requests in the pool, first pairs are told at once: a flood must not take all the room. */
export const HOLD_ROOM = 1 << 14;
/** The client has to wait for its responses this often. */
const ENOUGH_WAITS = 3;
/** Or so many pairs are held that there is not to be room for more. */
const ENOUGH_HELD = 4096;
/** Or nobody speaks for so long: a response under way would have come. */
const ENOUGH_QUIET_US = 1_000_000;

/**
 * The first pairs of a connection that began before the capture. An earlier request may have been under way, and then
 * each response belongs to the request before. The pairs are told once nothing has contradicted them for a while.
 */
export class HeldAnswers {
  readonly answers: HeldAnswer[] = [];
  #waits = 0;

  /** Takes a request out of the queue, with its response; `response` is copied. */
  add(entry: number, response: ResponseDraft, responseBytes: number, errorId: number): void {
    const copy = new ResponseDraft();
    copy.begin(response.startUs, response.offset, response.flags);
    copy.extend(response.endUs, 0);
    copy.end();
    this.answers.push({ entry, response: copy, responseBytes, errorId });
  }

  /** The client sent again with nothing due. Whether that is enough. */
  countWait(): boolean {
    return ++this.#waits >= ENOUGH_WAITS || this.answers.length >= ENOUGH_HELD;
  }

  isQuiet(clockUs: number, lastUs: number): boolean {
    return clockUs - lastUs >= ENOUGH_QUIET_US;
  }
}

import { TransactionClass } from "../protocols/protocol.ts";
import { EXPIRED, NIL, type PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import { Resend, TIMEOUT_US } from "./resend.ts";
import { Flag } from "./transaction.ts";

/** Pending requests looked at for one: each segment sent again costs this much at most. */
const MAX_LOOKED_AT = 1024;
/** Requests of one connection that wait for the response with their id: each response costs this much at most. */
export const MAX_PENDING_BY_ID = 1024;

/**
 * The requests of one connection that wait for their response, first in, first out: a list of the pool's entries. An entry may be
 * several requests that are alike and came together (`repeatLast`); whoever looks at one of them, or changes it, has it
 * separated from the others before.
 */
export class PendingQueue {
  readonly pool: PendingPool;
  /** The entry of the oldest, or NIL. */
  head = NIL;
  /** Requests, not entries. */
  count = 0;
  /** Those that have not been reported as unanswered. */
  unreported = 0;
  /** Those that wait on purpose. */
  blocking = 0;
  private tail = NIL;

  constructor(pool: PendingPool) {
    this.pool = pool;
  }

  // Runs for every request.
  add(entry: number): void {
    const words = this.pool.words;
    words[entry * WORDS + Word.next] = NIL;
    if (this.head === NIL) this.head = entry;
    else words[this.tail * WORDS + Word.next] = entry;
    this.tail = entry;
    this.count++;
    this.unreported++;
    if (words[entry * WORDS + Word.class] === TransactionClass.blocking) this.blocking++;
  }

  /**
   * So many requests like the last follow it: all of it, but for the place in the stream and the number, which go on, and the words: all
   * of them are kept at `words`, where anybody wants these. The pool has room for them. It takes a third off all that is done for
   * a pipeline of 16, from the file to the summary (test/bench, read-pipelined).
   */
  repeatLast(times: number, words: number): void {
    const { pool, tail } = this;
    const word = tail * WORDS;
    pool.words[word + Word.count] = pool.words[word + Word.count]! + times;
    if (pool.repeated !== null) pool.words[word + Word.text] = words;
    pool.used += times;
    this.count += times;
    this.unreported += times;
    if (pool.words[word + Word.class] === TransactionClass.blocking) this.blocking += times;
  }

  /** How many requests the entry of the oldest is: 0 where none waits. */
  // Runs for every response.
  get alike(): number {
    return this.head === NIL ? 0 : this.pool.words[this.head * WORDS + Word.count]!;
  }

  /** Takes so many of the oldest out, and gives them back to the pool: not reported yet, and all of one entry of several. */
  drop(times: number): void {
    const { pool, head } = this;
    const { words } = pool;
    const left = words[head * WORDS + Word.count]! - times;
    if (left > 0) {
      this.skip(head, times);
      words[head * WORDS + Word.count] = left;
      pool.used -= times;
      if (left === 1) {
        const kept = words[head * WORDS + Word.text]!;
        this.write(head);
        pool.repeated?.release(kept);
      }
    } else {
      pool.repeated?.release(words[head * WORDS + Word.text]!);
      this.head = words[head * WORDS + Word.next]!;
      pool.used -= times - 1;
      pool.release(head);
    }
    this.count -= times;
    this.unreported -= times;
    if (words[head * WORDS + Word.class] === TransactionClass.blocking) this.blocking -= times;
  }

  /** Has the first request of an entry alone in it: the others are in one of their own, behind it. */
  // Runs for every response.
  separate(entry: number): void {
    if (this.pool.words[entry * WORDS + Word.count]! > 1) this.split(entry, 1);
  }

  /** Has the first so many requests of an entry alone in it, and the rest in one of their own, behind it: one of both is a single request. */
  private split(entry: number, first: number): void {
    const rest = this.pool.takeEntry();
    const { times, words } = this.pool;
    // Each by itself: half of what `copyWithin` takes for so few.
    for (let i = 0; i < TIMES; i++) times[rest * TIMES + i] = times[entry * TIMES + i]!;
    for (let i = 0; i < WORDS; i++) words[rest * WORDS + i] = words[entry * WORDS + i]!;
    this.skip(rest, first);
    words[rest * WORDS + Word.count]! -= first;
    words[entry * WORDS + Word.count] = first;
    words[entry * WORDS + Word.next] = rest;
    if (entry === this.tail) this.tail = rest;
    const isBoth = first === 1 && words[rest * WORDS + Word.count] === 1;
    const kept = words[entry * WORDS + Word.text]!;
    if (first === 1) this.write(entry);
    if (words[rest * WORDS + Word.count] === 1) this.write(rest);
    if (isBoth) this.pool.repeated?.release(kept);
  }

  /** Writes the words of an entry of one request into its room for text, where they are wanted. */
  private write(entry: number): void {
    const { repeated, words, times, text } = this.pool;
    if (repeated === null) return;
    const at = entry * WORDS + Word.text;
    words[at] = repeated.write(words[at]!, times[entry * TIMES + Time.startOffset]!, text, entry);
  }

  /** Has each request in an entry of its own. */
  separateAll(): void {
    for (let entry = this.head; entry !== NIL; entry = this.next(entry)) this.separate(entry);
  }

  /** How many requests of an entry end at this place of the client's stream or before. */
  endedBefore(entry: number, offset: number): number {
    const startOffset = this.pool.times[entry * TIMES + Time.startOffset]!;
    const endOffset = this.pool.times[entry * TIMES + Time.endOffset]!;
    const count = this.pool.words[entry * WORDS + Word.count]!;
    if (endOffset > offset) return 0;
    return count === 1 ? 1 : Math.min(Math.floor((offset - startOffset) / (endOffset - startOffset)), count);
  }

  /** The entry begins so many requests later. */
  private skip(entry: number, requests: number): void {
    const { times } = this.pool;
    const time = entry * TIMES;
    const bytes = (times[time + Time.endOffset]! - times[time + Time.startOffset]!) * requests;
    times[time + Time.startOffset]! += bytes;
    times[time + Time.endOffset]! += bytes;
    times[time + Time.number]! += requests;
  }

  /** Takes the oldest out; the caller releases it. */
  // Runs for every response.
  shift(): number {
    this.separate(this.head);
    const words = this.pool.words;
    const entry = this.head;
    const transactionClass = words[entry * WORDS + Word.class]!;
    this.head = words[entry * WORDS + Word.next]!;
    this.forget(transactionClass);
    return entry;
  }

  /** The oldest of this id, by itself, or NIL. */
  withId(id: number): number {
    const { words } = this.pool;
    let left = MAX_PENDING_BY_ID;
    for (let entry = this.head; entry !== NIL && left > 0; entry = this.next(entry)) {
      if (words[entry * WORDS + Word.id] === id) {
        this.separate(entry);
        return entry;
      }
      left--;
    }
    return NIL;
  }

  /** The place in the queue, from this one on, of the next with these bits (of `mask`) of an id, or -1. */
  positionOf(id: number, mask: number, from: number): number {
    const { words } = this.pool;
    let position = 0;
    for (let entry = this.head; entry !== NIL && position < MAX_PENDING_BY_ID; entry = this.next(entry)) {
      const behind = position + words[entry * WORDS + Word.count]!;
      if (behind > from && ((words[entry * WORDS + Word.id]! ^ id) & mask) === 0) return Math.max(position, from);
      position = behind;
    }
    return -1;
  }

  /** Takes this entry out, wherever it stands; the caller releases it. */
  take(entry: number): void {
    this.separate(entry);
    if (entry === this.head) {
      this.shift();
      return;
    }
    const { words } = this.pool;
    let before = this.head;
    while (this.next(before) !== entry) before = this.next(before);
    words[before * WORDS + Word.next] = this.next(entry);
    if (entry === this.tail) this.tail = before;
    this.forget(words[entry * WORDS + Word.class]!);
  }

  private forget(transactionClass: number): void {
    this.count--;
    if ((transactionClass & EXPIRED) === 0) this.unreported--;
    if ((transactionClass & ~EXPIRED) === TransactionClass.blocking) this.blocking--;
  }

  /** The entry after this one, or NIL. */
  next(entry: number): number {
    return this.pool.words[entry * WORDS + Word.next]!;
  }

  /** The entry of the youngest, by itself, or NIL. */
  get last(): number {
    if (this.head === NIL) return NIL;
    const count = this.pool.words[this.tail * WORDS + Word.count]!;
    if (count > 1) this.split(this.tail, count - 1);
    return this.tail;
  }

  /** The entry that has the request at this place in the queue, or NIL. */
  // Runs for every response.
  at(position: number): number {
    let entry = this.head;
    for (let before = position; before > 0 && entry !== NIL; entry = this.next(entry)) {
      before -= this.pool.words[entry * WORDS + Word.count]!;
      if (before < 0) break;
    }
    return entry;
  }

  /** Those that were whole before `beforeUs` and do not wait on purpose, once: to be reported as unanswered. They keep their place. `spared`: not this one. */
  expire(beforeUs: number, spared: number): readonly number[] {
    const expired: number[] = [];
    if (!this.isAnyOlder(beforeUs)) return expired;
    this.separateAll();
    const { times, words } = this.pool;
    for (
      let entry = this.head;
      entry !== NIL && times[entry * TIMES + Time.end]! < beforeUs;
      entry = this.next(entry)
    ) {
      const at = entry * WORDS + Word.class;
      if (entry === spared || this.isExpired(entry) || words[at] === TransactionClass.blocking) continue;
      words[at] = words[at]! | EXPIRED;
      this.unreported--;
      expired.push(entry);
    }
    return expired;
  }

  /** Whether `expire` would tell of any. */
  isAnyOlder(beforeUs: number): boolean {
    const { times, words } = this.pool;
    let entry = this.head;
    while (entry !== NIL && times[entry * TIMES + Time.end]! < beforeUs) {
      if (
        (words[entry * WORDS + Word.class]! & EXPIRED) === 0 &&
        words[entry * WORDS + Word.class] !== TransactionClass.blocking
      )
        return true;
      entry = this.next(entry);
    }
    return false;
  }

  /** It is of another class than was thought when it was added. */
  setClass(entry: number, transactionClass: TransactionClass): void {
    this.separate(entry);
    const { words } = this.pool;
    const at = entry * WORDS + Word.class;
    if ((words[at]! & ~EXPIRED) === TransactionClass.blocking) this.blocking--;
    words[at] = (words[at]! & EXPIRED) | transactionClass;
    if (transactionClass === TransactionClass.blocking) this.blocking++;
  }

  flagAll(flags: number): void {
    for (let entry = this.head; entry !== NIL; entry = this.next(entry)) this.addFlags(entry, flags);
  }

  hasFlag(entry: number, flag: number): boolean {
    return (this.pool.words[entry * WORDS + Word.flags]! & flag) !== 0;
  }

  isExpired(entry: number): boolean {
    return (this.pool.words[entry * WORDS + Word.class]! & EXPIRED) !== 0;
  }

  addFlags(entry: number, flags: number): void {
    const at = entry * WORDS + Word.flags;
    this.pool.words[at] = this.pool.words[at]! | flags;
  }

  /** The oldest request with bytes behind this place of the client's stream, as far as is looked for, or NIL. */
  holderOf(from: number): number {
    const { times } = this.pool;
    let left = MAX_LOOKED_AT;
    for (let entry = this.head; entry !== NIL && left > 0; entry = this.next(entry)) {
      if (times[entry * TIMES + Time.endOffset]! > from) return entry;
      left--;
    }
    return NIL;
  }

  /**
   * Bytes [from, to) of the client's stream were sent again: marks the requests they belong to, as far as they are looked for. Where
   * the bytes may have been lost, these and all behind them have waited for that since they were sent.
   */
  markRetransmitted(from: number, to: number, timeUs: number, isNeeded: boolean, isFast: boolean): void {
    const times = this.pool.times;
    let left = MAX_LOOKED_AT;
    for (let entry = this.head; entry !== NIL && left > 0; entry = this.next(entry)) {
      left--;
      if (times[entry * TIMES + Time.endOffset]! <= from) continue;
      const isOwn = times[entry * TIMES + Time.startOffset]! < to;
      if (!isOwn && !isNeeded) break;
      const lostUs = isNeeded ? timeUs - times[entry * TIMES + Time.end]! : 0;
      this.charge(entry, Time.resentRequest, lostUs, isFast, isOwn ? 1 : 0);
    }
  }

  /** Bytes from there on had arrived when they were sent again last; what is left was sent again before, at `untilUs` (0: nothing). */
  unmarkRetransmitted(from: number, untilUs: number): void {
    const { times } = this.pool;
    let left = MAX_LOOKED_AT;
    for (let entry = this.head; entry !== NIL && left > 0; entry = this.next(entry)) {
      left--;
      const time = entry * TIMES;
      if (times[time + Time.endOffset]! <= from) continue;
      const lostUs = Math.max(0, untilUs - times[time + Time.end]!);
      if (lostUs >= times[time + Time.resentRequest]!) continue;
      times[time + Time.resentRequest] = lostUs;
      if (lostUs === 0) this.forgetRequest(entry);
    }
  }

  /** Nothing was lost of the request: what was sent again of it had arrived. */
  forgetRequest(entry: number): void {
    const { times, words } = this.pool;
    const word = entry * WORDS + Word.retransmissions;
    const how = words[word]! & ~Resend.request;
    words[word] = (how & Resend.response) === 0 ? how & Resend.count : how;
    times[entry * TIMES + Time.resentRequest] = 0;
  }

  /** So many segments were sent again, for which the entry has waited `lostUs` in all. */
  charge(entry: number, field: number, lostUs: number, isFast: boolean, segments: number): void {
    const { times, words } = this.pool;
    const word = entry * WORDS + Word.retransmissions;
    const count = Math.min((words[word]! & Resend.count) + segments, Resend.count);
    let how = words[word]! & ~Resend.count;
    if (lostUs > 0) {
      how |= isFast && lostUs < TIMEOUT_US ? Resend.fast : Resend.timeout;
      how |= field === Time.resentRequest ? Resend.request : Resend.response;
      const time = entry * TIMES + field;
      times[time] = Math.max(times[time]!, lostUs);
    }
    words[word] = how | count;
    if (segments > 0) this.addFlags(entry, Flag.retransmission);
  }
}

import type { Details } from "./details.ts";
import { RepeatedWords } from "./repeated-words.ts";
import { TEXT_CAPACITY } from "./transaction.ts";

/** Where a linked list ends, and what `allocate` returns when there is no room. */
export const NIL = -1;
const FIRST_CAPACITY = 256;
/** Requests in flight, in all connections. At 228 bytes each this bounds the memory to about 120 MB. */
export const MAX_PENDING = 1 << 19;

/** Fields of an entry in `times`, 8 doubles (a cache line) an entry: `times[entry * TIMES + Time.start]`. */
export const TIMES = 8;
export const Time = {
  /** Of the first and the latest of its bytes, µs since the epoch. */
  start: 0,
  end: 1,
  /** Places in the client's stream, counted from where its bytes began to be seen: first byte, and behind the last. */
  startOffset: 2,
  endOffset: 3,
  /** From 1, per connection. */
  number: 4,
  /** What it lost to segments that were sent again, of its own bytes (or of bytes before them), and of its response's. */
  resentRequest: 5,
  resentResponse: 6,
  /** `Path.closedUs` when it began. */
  closed: 7,
} as const;

/** Fields of an entry in `words`, 9 integers an entry: `words[entry * WORDS + Word.flags]`. */
export const WORDS = 9;
export const Word = {
  next: 0,
  commandId: 1,
  replyKind: 2,
  id: 3,
  flags: 4,
  /** Segments of this request and its response that were sent again, and the bits of `Resend`. */
  retransmissions: 5,
  /** The class, and EXPIRED once it was reported as unanswered: it keeps its place, so that a late response finds it. */
  class: 6,
  /** Length of the text, start and end of the key in it: a byte each, lowest first. Of several requests, where `repeated` has their words. */
  text: 7,
  /** How many requests the entry is; of more than one, all fields are the oldest's (see `PendingQueue.repeatLast`). */
  count: 8,
} as const;
export const EXPIRED = 0x100;
/** A bit of `Word.flags` that is no flag of the transaction: it need not be answered. */
export const OPTIONAL = 1 << 30;

/**
 * The requests that wait for their response, of all connections: one pool of entries, so that a request costs no
 * allocation and a connection without requests no memory. Entries of a connection form a list. The entry freed last is
 * used first: at normal depths the same few cache lines serve for ever.
 */
export class PendingPool {
  // What `grow` changes is set twice at the start: V8 would else compile it as what never changes, and drop all of that at the first `grow`.
  times = new Float64Array(0);
  words = new Int32Array(0);
  /** What is told of the messages of an entry, where that is wanted. */
  readonly details: Map<number, Details> | null;
  /** TEXT_CAPACITY bytes an entry; none where nobody will print a request. */
  text = new Uint8Array(0);
  /** The words of entries of several requests; null where nobody will print one. */
  readonly repeated: RepeatedWords | null;
  private readonly textCapacity: number;
  /** Requests, of which each has an entry, or may need one. */
  used = 0;
  private free = NIL;
  private fresh = 0;
  private capacity = 0;

  constructor(wantsText: boolean, wantsDetails = false) {
    this.details = wantsDetails ? new Map() : null;
    this.repeated = wantsText ? new RepeatedWords() : null;
    this.textCapacity = wantsText ? TEXT_CAPACITY : 0;
    this.times = new Float64Array(FIRST_CAPACITY * TIMES);
    this.words = new Int32Array(FIRST_CAPACITY * WORDS);
    this.capacity = FIRST_CAPACITY;
    this.text = new Uint8Array(FIRST_CAPACITY * this.textCapacity);
  }

  /** An entry for one request, whose other fields hold anything; or NIL when MAX_PENDING are in use. */
  // Runs for every request.
  allocate(): number {
    if (this.used === MAX_PENDING) return NIL;
    this.used++;
    return this.takeEntry();
  }

  /** An entry for a request that has a part in another, which has one more than `used` counts: so there is room. */
  // Runs for every request.
  takeEntry(): number {
    let entry = this.free;
    if (entry !== NIL) this.free = this.words[entry * WORDS + Word.next]!;
    else {
      if (this.fresh === this.capacity) this.grow();
      entry = this.fresh++;
    }
    this.words[entry * WORDS + Word.count] = 1;
    return entry;
  }

  // Runs for every request.
  release(entry: number): void {
    this.words[entry * WORDS + Word.next] = this.free;
    this.free = entry;
    this.used--;
    if (this.details !== null) this.details.delete(entry);
  }

  private grow(): void {
    const capacity = this.capacity * 2;
    const { times, words, text } = this;
    this.times = new Float64Array(capacity * TIMES);
    this.times.set(times);
    this.words = new Int32Array(capacity * WORDS);
    this.words.set(words);
    this.text = new Uint8Array(capacity * this.textCapacity);
    this.text.set(text);
    this.capacity = capacity;
  }
}

import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Moment } from "../connection/moment.ts";
import type { RecordFormat } from "../outputs/record-output.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import { type Block, ENDED, EVENT_WORDS, Event, MAX_EVENTS, OPENED, TEXT_BYTES } from "./block.ts";

export interface BlockOutputOptions {
  readonly format: RecordFormat;
  /** Blocks that may be under way. */
  readonly capacity: number;
  /** With so many under way records are dropped, and counted. Infinity: never. */
  readonly dropFrom: number;
  readonly send: (block: Block) => void;
}

/** Writes a worker's records into blocks, for the main thread to put in order and print. */
export class BlockOutput implements TransactionOutput {
  /** Records dropped because nobody reads them in time. */
  recordsDropped = 0;
  readonly #options: BlockOutputOptions;
  readonly #spares: { readonly text: Buffer; readonly events: Float64Array }[] = [];
  #moment: Moment | null = null;
  #text: Buffer;
  #events: Float64Array;
  #at = 0;
  #count = 0;
  #underWay = 0;
  #waiter: (() => void) | null = null;

  constructor(options: BlockOutputOptions) {
    this.#options = options;
    this.#text = Buffer.from(new ArrayBuffer(TEXT_BYTES));
    this.#events = new Float64Array(MAX_EVENTS * EVENT_WORDS);
  }

  /** Where the capture stands: to be set before the first record. */
  set moment(moment: Moment) {
    this.#moment = moment;
  }

  /** Stop reading and await `returned()` first. */
  get isFull(): boolean {
    return this.#underWay >= this.#options.capacity;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  // Runs for every record.
  transaction(transaction: Transaction): void {
    if (!this.#hasRoom()) return;
    this.#at = this.#options.format.put(transaction, this.#text, this.#at);
    this.#note(transaction.connectionId, this.#at, this.#options.format.behindIdAt);
  }

  connect(connect: Connect): void {
    if (!this.#hasRoom()) return;
    this.#at = this.#options.format.putConnect(connect, this.#text, this.#at);
    this.#note(connect.connectionId, this.#at, -1);
  }

  #hasRoom(): boolean {
    if (this.#underWay >= this.#options.dropFrom) {
      this.recordsDropped++;
      return false;
    }
    if (this.#text.length - this.#at < this.#options.format.capacity) this.post(this.#moment!.frame);
    return true;
  }

  opened(connectionId: number): void {
    this.#note(connectionId, OPENED, -1);
  }

  ended(connectionId: number): void {
    this.#note(connectionId, ENDED, -1);
  }

  /** Sends what there is: all events of frames before `toldBefore` are among it, or were sent before. */
  post(toldBefore: number): void {
    const { text, events, eventCount } = { text: this.#text, events: this.#events, eventCount: this.#count };
    if (eventCount === 0) {
      this.#options.send({ text: NOTHING, events: NO_EVENTS, eventCount, toldBefore });
      return;
    }
    const spare = this.#spares.pop();
    this.#text = spare?.text ?? Buffer.from(new ArrayBuffer(TEXT_BYTES));
    this.#events = spare?.events ?? new Float64Array(MAX_EVENTS * EVENT_WORDS);
    this.#at = 0;
    this.#count = 0;
    this.#underWay++;
    this.#options.send({ text, events, eventCount, toldBefore });
  }

  /** Memory that comes back from the main thread. */
  take(text: Uint8Array, events: Float64Array): void {
    this.#underWay--;
    if (this.#spares.length < this.#options.capacity) this.#spares.push({ text: Buffer.from(text.buffer), events });
    this.#waiter?.();
    this.#waiter = null;
  }

  /** Resolves when a block has come back. */
  returned(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  #note(connectionId: number, end: number, behindIdAt: number): void {
    const moment = this.#moment!;
    const at = this.#count * EVENT_WORDS;
    const events = this.#events;
    events[at + Event.frame] = moment.frame;
    events[at + Event.place] = moment.place;
    events[at + Event.connection] = connectionId;
    events[at + Event.end] = end;
    events[at + Event.behind] = behindIdAt;
    if (++this.#count === MAX_EVENTS) this.post(moment.frame);
  }
}

const NOTHING = new Uint8Array(0);
const NO_EVENTS = new Float64Array(0);

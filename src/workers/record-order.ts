import { setTimeout as delay } from "node:timers/promises";
import { putInteger } from "../outputs/put.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import { type Block, ENDED, EVENT_WORDS, Event, OPENED } from "./block.ts";

/** What stands before the connection's number. */
const TRANSACTION = Buffer.from('{"type":"transaction","id":"');
const CONNECT = Buffer.from('{"type":"connect","id":"');
const TYPE_AT = '{"type":"'.length;
/** How often a slow reader is looked at, live. */
const LOOK_MS = 2;

export interface RecordOrderOptions {
  readonly workers: number;
  readonly writer: RecordWriter;
  /** Records begin with their type and their connection's number, as those of `--json` do. */
  readonly hasConnectionIds: boolean;
  /** Records come in the order one worker would print them in; false: as they come (live). */
  readonly isOrdered: boolean;
  /** Gives a block's memory back to its worker. */
  readonly giveBack: (worker: number, block: Block) => void;
}

/** One worker's blocks that have not been written yet. */
class Lane {
  readonly blocks: Block[] = [];
  /** Of the first block: the next event, and where its text begins. */
  event = 0;
  textAt = 0;
  /** Every event of an earlier frame has come. */
  toldBefore = 0;
  /** This worker's numbers of connections that may still have a record, and those that they are known by. */
  readonly ids = new Map<number, number>();
}

/**
 * Puts the records of all workers into one order, that of the frames, and gives connections the numbers that one worker
 * would have given them. Whatever cannot be written yet stays in its block, and its worker waits for the memory.
 */
export class RecordOrder {
  readonly #options: RecordOrderOptions;
  readonly #lanes: readonly Lane[];
  #lastId = 0;
  #isBusy = false;
  #isHurried = false;
  #resolve: (() => void) | null = null;

  constructor(options: RecordOrderOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.workers }, () => new Lane());
  }

  add(worker: number, block: Block): void {
    const lane = this.#lanes[worker]!;
    lane.toldBefore = Math.max(lane.toldBefore, block.toldBefore);
    if (block.eventCount > 0) lane.blocks.push(block);
    void this.#pump();
  }

  /** No more blocks come from this worker. */
  end(worker: number): void {
    this.#lanes[worker]!.toldBefore = Number.POSITIVE_INFINITY;
    void this.#pump();
  }

  /** Resolves when all has been handed to the writer. */
  async flushed(): Promise<void> {
    while (this.#isBusy || this.#lanes.some((lane) => lane.blocks.length > 0)) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
  }

  /** Waits for nobody from now on: what finds no room is dropped by the writer, and counted. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** A file waits for whoever reads the records. Live, what is not written yet waits in its block. */
  get #mustWait(): boolean {
    const { writer, isOrdered } = this.#options;
    return !this.#isHurried && (isOrdered ? writer.isFull : writer.isFilling);
  }

  async #pump(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#writeRun()) {
      while (this.#mustWait) await (this.#options.isOrdered ? this.#options.writer.drain() : delay(LOOK_MS));
    }
    this.#isBusy = false;
    this.#resolve?.();
    this.#resolve = null;
  }

  /** Writes what the lane that is next has before any other's; false when nothing can be written now. */
  #writeRun(): boolean {
    const lane = this.#next();
    if (lane === null) return false;
    const block = lane.blocks[0]!;
    while (lane.event < block.eventCount && !this.#mustWait && this.#mayWrite(lane)) {
      this.#take(lane, block, lane.event * EVENT_WORDS);
      lane.event++;
    }
    if (lane.event === block.eventCount) {
      lane.blocks.shift();
      lane.event = 0;
      lane.textAt = 0;
      this.#options.giveBack(this.#lanes.indexOf(lane), block);
    }
    return true;
  }

  /** The lane with the earliest event, or null while an earlier one may still come. */
  #next(): Lane | null {
    let first: Lane | null = null;
    for (const lane of this.#lanes) {
      if (lane.blocks.length > 0 && (first === null || isBefore(lane, first))) first = lane;
    }
    return first !== null && this.#mayWrite(first) ? first : null;
  }

  #mayWrite(lane: Lane): boolean {
    if (!this.#options.isOrdered) return true;
    const frame = headFrame(lane);
    for (const other of this.#lanes) {
      if (other === lane) continue;
      if (other.blocks.length === 0 ? other.toldBefore <= frame : isBefore(other, lane)) return false;
    }
    return true;
  }

  #take(lane: Lane, { text, events }: Block, at: number): void {
    const connection = events[at + Event.connection]!;
    const end = events[at + Event.end]!;
    if (end === OPENED) lane.ids.set(connection, ++this.#lastId);
    else if (end === ENDED) lane.ids.delete(connection);
    else {
      if (this.#options.writer.begin()) this.#write(lane, text, end, connection, events[at + Event.behind]!);
      lane.textAt = end;
    }
  }

  /** A record up to `end`, with the number that its connection is known by in the place of its worker's. */
  #write(lane: Lane, text: Uint8Array, end: number, connection: number, behindAt: number): void {
    const { writer, hasConnectionIds } = this.#options;
    const { chunk } = writer;
    let from = lane.textAt;
    let at = writer.at;
    const renumber = (idAt: number): void => {
      at = copy(text, from, idAt, chunk, at);
      at = putInteger(chunk, at, lane.ids.get(connection)!);
      from = idAt + String(connection).length;
    };
    if (hasConnectionIds)
      renumber(from + (text[from + TYPE_AT] === CONNECT[TYPE_AT] ? CONNECT.length : TRANSACTION.length));
    if (behindAt >= 0) renumber(behindAt);
    writer.end(copy(text, from, end, chunk, at));
  }
}

function headFrame(lane: Lane): number {
  return lane.blocks[0]!.events[lane.event * EVENT_WORDS + Event.frame]!;
}

/** Whether `a` stands before `b`, both of which hold an event. In one moment of one frame the order is the workers'. */
function isBefore(a: Lane, b: Lane): boolean {
  const frame = headFrame(a) - headFrame(b);
  if (frame !== 0) return frame < 0;
  const place = (lane: Lane) => lane.blocks[0]!.events[lane.event * EVENT_WORDS + Event.place]!;
  return place(a) < place(b);
}

function copy(from: Uint8Array, start: number, end: number, into: Buffer, at: number): number {
  into.set(from.subarray(start, end), at);
  return at + end - start;
}

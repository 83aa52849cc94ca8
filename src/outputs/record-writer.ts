import { type TcplatError, unwritableOutput } from "../errors.ts";
import type { ByteSink } from "./byte-sink.ts";
import { openSink } from "./byte-sink.ts";
import { RECORD_CAPACITY } from "./put.ts";

const CHUNK_BYTES = 65_536;
/** Chunks kept for reuse. */
const SPARE_CHUNKS = 16;
const LIVE_CAPACITY_BYTES = 8 * 1024 * 1024;
const FILE_CAPACITY_BYTES = 1024 * 1024;
const HOLD_MS = 2000;
/** So many times `holdMs` in all for a reader that is slow, but reads. */
const HOLDS = 5;

export interface RecordWriterOptions {
  /** 1: standard output. */
  readonly fd: number;
  /** file: loses nothing, and `drain` makes the reader of the file wait. live: never blocks, drops whole records. */
  readonly mode: "file" | "live";
  /** live: bytes waiting for a reader, beyond which records are dropped. file: beyond which `isFull`. */
  readonly capacityBytes?: number;
  /** How long a reader that does not read may hold `close` in live mode; one that does, five times as long. */
  readonly holdMs?: number;
  /** Called once when the reader has gone: the program ends quietly. */
  readonly onClosed: () => void;
  /** Called once when writing fails otherwise (disk full); nothing more is written. */
  readonly onError: (error: TcplatError) => void;
}

interface Chunk {
  readonly bytes: Buffer;
  readonly length: number;
  readonly records: number;
}

/**
 * Records on their way to a descriptor. One is written in place: `begin()`, then fill `chunk` from `at`, then `end(to)`.
 * What has been ended goes out with the next turn of the event loop, in order, one chunk at a time.
 */
export class RecordWriter {
  /** Where the next record goes, from `at`; as many bytes are free as `begin` was asked for. */
  chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  at = 0;
  /** Records that were not written because nobody read them in time. */
  recordsDropped = 0;
  private chunkRecords = 0;
  private queue: Chunk[] = [];
  private queuedBytes = 0;
  private isWriting = false;
  private isScheduled = false;
  private isClosed = false;
  private readonly spares: Buffer[] = [];
  private readonly options: RecordWriterOptions;
  private readonly capacityBytes: number;
  private readonly sink: ByteSink;
  /** While a live writer closes: runs out where nothing is taken any more. */
  private patience: NodeJS.Timeout | null = null;
  private waiter: { readonly belowBytes: number; readonly resolve: () => void } | null = null;

  constructor(options: RecordWriterOptions) {
    this.options = options;
    this.capacityBytes = options.capacityBytes ?? (options.mode === "live" ? LIVE_CAPACITY_BYTES : FILE_CAPACITY_BYTES);
    this.sink = openSink(options.fd, options.mode === "file");
  }

  /** Bytes of records not yet handed to the kernel. */
  get backlogBytes(): number {
    return this.queuedBytes + this.at;
  }

  /** In file mode: stop reading frames and await `drain()` first. Cheap enough to ask after every frame. */
  get isFull(): boolean {
    return this.queuedBytes + this.at >= this.capacityBytes;
  }

  /** Half of the room is taken. */
  get isFilling(): boolean {
    return (this.queuedBytes + this.at) * 2 >= this.capacityBytes;
  }

  // Runs for every segment.
  /** Makes room for a record of at most so many bytes. False: it is dropped (and counted), or nobody is there any more. */
  begin(capacity = RECORD_CAPACITY): boolean {
    if (this.isClosed) return false;
    if (this.options.mode === "live" && this.isFull) {
      this.recordsDropped++;
      return false;
    }
    if (CHUNK_BYTES - this.at < capacity) this.seal();
    return true;
  }

  // Runs for every segment.
  /** The record begun ends before `to`. */
  end(to: number): void {
    this.at = to;
    this.chunkRecords++;
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.pump();
    });
  }

  /** A record of any length, in ASCII: dropped whole or written whole. */
  record(text: string): void {
    if (!this.begin(text.length)) return;
    if (text.length <= CHUNK_BYTES) this.end(this.at + this.chunk.write(text, this.at, "latin1"));
    else this.enqueue(Buffer.from(text, "latin1"));
  }

  /** Bytes ready made, of any length: likewise. They are copied. */
  put(bytes: Uint8Array): void {
    if (!this.begin(bytes.length)) return;
    if (bytes.length <= CHUNK_BYTES) {
      this.chunk.set(bytes, this.at);
      this.end(this.at + bytes.length);
    } else this.enqueue(Buffer.from(bytes));
  }

  private enqueue(bytes: Buffer): void {
    this.seal();
    this.queue.push({ bytes, length: bytes.length, records: 1 });
    this.queuedBytes += bytes.length;
    this.schedule();
  }

  /** A record of any length, never dropped for lack of room: for the few that end a run. */
  write(record: string): void {
    if (this.isClosed) return;
    this.seal();
    const bytes = Buffer.from(record);
    this.queue.push({ bytes, length: bytes.length, records: 1 });
    this.queuedBytes += bytes.length;
    this.pump();
  }

  /** Resolves as soon as there is room again (at once when there is), or nobody reads any more. */
  drain(): Promise<void> {
    return this.untilBelow(this.capacityBytes);
  }

  /**
   * Writes what is left, and closes. In live mode a reader that takes nothing more holds it for `holdMs` at most, a slow
   * one five times as long; the rest is dropped. Gives how many records that were.
   */
  async close(): Promise<number> {
    const dropped = this.recordsDropped;
    let limit: NodeJS.Timeout | undefined;
    if (this.options.mode === "live") {
      const holdMs = this.options.holdMs ?? HOLD_MS;
      this.patience = setTimeout(() => this.abandon(), holdMs);
      limit = setTimeout(() => this.abandon(), holdMs * HOLDS);
    }
    await this.untilBelow(1);
    if (this.patience !== null) clearTimeout(this.patience);
    this.patience = null;
    clearTimeout(limit);
    if (!this.isClosed) {
      this.isClosed = true;
      this.sink.close(false);
    }
    return this.recordsDropped - dropped;
  }

  private async untilBelow(belowBytes: number): Promise<void> {
    this.pump();
    if (this.isClosed || this.backlogBytes < belowBytes) return;
    if (this.waiter) throw new Error("a record writer is awaited once at a time");
    await new Promise<void>((resolve) => {
      this.waiter = { belowBytes, resolve };
    });
  }

  /** Moves the chunk being filled to the end of the queue. */
  private seal(): void {
    if (this.at === 0) return;
    this.queue.push({ bytes: this.chunk, length: this.at, records: this.chunkRecords });
    this.queuedBytes += this.at;
    this.chunk = this.spares.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.at = 0;
    this.chunkRecords = 0;
  }

  /** Starts the next write unless one is under way; a chunk is sealed early only when the sink is idle. */
  private pump(): void {
    if (this.isWriting || this.isClosed) return;
    if (this.queue.length === 0) this.seal();
    const next = this.queue[0];
    if (!next) return;
    this.isWriting = true;
    this.sink.write(next.bytes, next.length, (error) => this.written(next, error));
  }

  private written(chunk: Chunk, error: NodeJS.ErrnoException | null): void {
    this.isWriting = false;
    if (this.isClosed) return;
    if (error) {
      this.fail(error);
      return;
    }
    this.queue.shift();
    this.queuedBytes -= chunk.length;
    this.patience?.refresh();
    if (chunk.bytes.length === CHUNK_BYTES && this.spares.length < SPARE_CHUNKS) this.spares.push(chunk.bytes);
    this.pump();
    if (this.waiter && this.backlogBytes < this.waiter.belowBytes) this.release();
  }

  private fail(error: NodeJS.ErrnoException): void {
    this.shut();
    const failure = unwritableOutput(error);
    if (failure === null) this.options.onClosed();
    else this.options.onError(failure);
  }

  private abandon(): void {
    if (this.isClosed) return;
    this.recordsDropped += this.chunkRecords;
    for (const chunk of this.queue) this.recordsDropped += chunk.records;
    this.shut();
  }

  private shut(): void {
    this.isClosed = true;
    this.queue = [];
    this.queuedBytes = 0;
    this.at = 0;
    this.sink.close(true);
    this.release();
  }

  private release(): void {
    const waiter = this.waiter;
    this.waiter = null;
    waiter?.resolve();
  }
}

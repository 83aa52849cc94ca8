import type { Snapshot } from "../aggregate/snapshot.ts";
import type { IncompleteConnections } from "../connection/incomplete.ts";
import type { TcplatError } from "../errors.ts";

/** Where the frames come from, as far as a user is told of it. */
export interface SourceView {
  /** The interface's or file's name as the user wrote it. */
  readonly name: string;
  readonly engine: "libpcap" | "cap";
  readonly isLive: boolean;
  readonly clock: "kernel" | "file" | "arrival";
  /** False while the interface is down. */
  readonly isUp: boolean;
  /** After the end: a sentence for the user where the file ended in the middle of a frame. */
  readonly warning: string | null;
}

/** What a run captures with: one pipeline on the main thread (`Solo`), or several in worker threads (`Crew`). */
export interface Captor {
  readonly source: SourceView;
  /** What broke the capture off, once all before it has been told; or null. */
  readonly failure: TcplatError | null;
  /** libpcap's own line about itself, or "" as long as nothing has needed it. */
  readonly usedLibpcapVersion: string;
  /** Whatever a run must not be refused for any more, such as emptying the file of `-w`. Throws TcplatError. */
  begin(): void;
  /** Takes frames until the end, `-c`, a failure, or `stop`. */
  capture(): Promise<void>;
  /** Ends `capture` soon; what was captured before is still taken. */
  stop(): void;
  /** After `capture`: every connection ends, every request is accounted for, every record is on its way. */
  finish(): Promise<void>;
  /** Frames taken so far: cheap, and asked for often. */
  readonly frames: number;
  /** Analyses this share of the connections from now on, (0..1] (`--max-cpu`). */
  sampleOnly(ratio: number): void;
  /** Every number as it stands now, but for what the process costs. */
  snapshot(): Snapshot;
  incomplete(): IncompleteConnections;
  /** For SIGHUP: goes on in a new file where somebody has moved the present one. */
  reopen(): void;
  close(): void;
}

import type { MessagePort } from "node:worker_threads";
import type { StageCounters } from "../aggregate/snapshot.ts";
import type { AggregateState } from "../aggregate/state.ts";
import type { FanoutGroup } from "../capture/fanout.ts";
import type { IncompleteConnections } from "../connection/incomplete.ts";
import type { ErrorCode } from "../errors.ts";
import type { Options } from "../options.ts";
import type { Block } from "./block.ts";
import type { TurnsMemory } from "./turns.ts";

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly options: Options;
  /** From 0. */
  readonly index: number;
  readonly workers: number;
  readonly isColoured: boolean;
  readonly turns: TurnsMemory;
  readonly serverNames: SharedArrayBuffer;
  /** `sharedRoom()`: what of `--max-connections` is taken. */
  readonly room: SharedArrayBuffer;
  /** Where numbers are asked for, apart from all else: the main thread waits for them without looking at the rest. */
  readonly numbers: NumbersStart;
  /** Live: the group that shares the frames out; made by the first worker, and then known. */
  readonly fanout: FanoutGroup | null;
}

export interface NumbersStart {
  readonly port: MessagePort;
  /** One Int32, raised with each answer. */
  readonly answers: SharedArrayBuffer;
}

/** Every number of one worker. */
export interface WorkerNumbers {
  readonly aggregate: AggregateState;
  readonly stages: StageCounters;
  readonly incomplete: IncompleteConnections;
}

/** To a worker. */
export type Order =
  /** Live: frames from before this moment, in µs since the epoch, are nobody's; a file's are all taken. */
  | { readonly kind: "begin"; readonly sinceUs: number }
  /** Live: take what came before, then end. */
  | { readonly kind: "stop" }
  | { readonly kind: "sample"; readonly ratio: number }
  | { readonly kind: "returned"; readonly text: Uint8Array; readonly events: Float64Array };

/** From a worker. */
export type Report =
  | {
      readonly kind: "ready";
      readonly fanout: FanoutGroup | null;
      readonly numbers: WorkerNumbers;
      /** As `usedLibpcapVersion` has it. */
      readonly libpcapVersion: string;
    }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly sentence: string }
  | { readonly kind: "block"; readonly block: Block }
  | { readonly kind: "up"; readonly isUp: boolean }
  | {
      readonly kind: "done";
      readonly numbers: WorkerNumbers;
      readonly warning: string | null;
      readonly failure: { readonly code: ErrorCode; readonly sentence: string } | null;
    };

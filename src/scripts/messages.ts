import type { Tick } from "../../types/script.d.ts";

/** What the scripts' thread is started with. */
export interface ScriptsStart {
  /** As the user wrote them. */
  readonly files: readonly string[];
  /** 0: calls of a script so far, so that whoever waits can tell a long work from a call that does not return. */
  readonly progress: SharedArrayBuffer;
  /** A live capture's threads are to have the CPU first. */
  readonly isLive: boolean;
}

/** Which functions at least one script has. */
export interface Wants {
  readonly packet: boolean;
  readonly transaction: boolean;
  readonly tick: boolean;
}

/** Some frames, what was told of transactions meanwhile, and perhaps the second's numbers. */
export interface Slice {
  readonly kind: "slice";
  readonly linkType: number;
  /** Records as in capture/frame-source.ts: frames[0, length); comes back with the answer. */
  readonly frames: Uint8Array<ArrayBuffer>;
  readonly length: number;
  /** JSON records, a line each; and behind how many of the slice's frames each was told. */
  readonly told: Uint8Array<ArrayBuffer>;
  readonly toldAt: readonly number[];
  readonly tick: Tick | null;
}

/** To the thread: a slice; or that there will be no more. */
export type ScriptOrder = Slice | { readonly kind: "end" };

/** An error, and how often it came. */
export interface ScriptError {
  /** With the file and the line. */
  readonly message: string;
  readonly count: number;
}

/** What the scripts printed, and where it belongs. */
export interface Printed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Pairs: a place in the slice (`Place`), and where what was printed there ends. */
  readonly marks: readonly number[];
}

/** From the thread. */
export type ScriptReport =
  | { readonly kind: "ready"; readonly wants: Wants; readonly printed: Printed }
  | { readonly kind: "refused"; readonly sentence: string }
  | {
      readonly kind: "done";
      readonly frames: Uint8Array<ArrayBuffer>;
      readonly printed: Printed;
      readonly calls: { readonly packet: number; readonly transaction: number; readonly tick: number };
      readonly errors: readonly ScriptError[];
    }
  /** Between slices: what was printed, or went wrong, in somebody's callback. */
  | { readonly kind: "aside"; readonly printed: Printed; readonly errors: readonly ScriptError[] }
  /** The scripts cannot go on; `reason` is a sentence for the user. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "ended"; readonly printed: Printed; readonly errors: readonly ScriptError[] };

/**
 * The order of what is printed in a slice. Of its frame i, from 1: first what `packet` printed, then the records of the
 * transactions that it finished, then what `transaction` printed; `tick` comes last.
 */
export const Place = {
  ofPacket: (frame: number): number => frame * 3,
  ofRecord: (frame: number): number => frame * 3 + 1,
  ofTransaction: (frame: number): number => frame * 3 + 2,
  last: 0xffff_ffff,
} as const;

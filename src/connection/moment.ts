/** Places within a frame, in order: held segments whose time has come, the sweep, then the frame's own segment. */
const BEFORE_SWEEP = -(2 ** 50);
const IN_TURN = 2 ** 50;

/** How often time-outs are looked for, on the capture's clock. */
const SWEEP_US = 1_000_000;

/** Sweeps stand at whole seconds of the capture's clock: when a time-out is told depends on no other connection. */
export function nextSweepUs(clockUs: number): number {
  return (Math.floor(clockUs / SWEEP_US) + 1) * SWEEP_US;
}

/**
 * Where in a capture the table stands. Whatever is told at one moment belongs to one connection, and moments are ordered as
 * what is told: so the records of several tables, each with a part of the connections, can be put in the order of one.
 */
export class Moment {
  /** Orders what happens within one frame. */
  place = IN_TURN;
  private isOver = false;
  private readonly counted: { readonly frames: number };

  /** `counted.frames`: the frames decoded so far, the present one included. */
  constructor(counted: { readonly frames: number }) {
    this.counted = counted;
  }

  /** The number of the present frame, from 1; one more than there are once the capture is over. */
  get frame(): number {
    return this.isOver ? this.counted.frames + 1 : this.counted.frames;
  }

  /** The frame's own segment is being taken, not what the passing of time brings. */
  get isInTurn(): boolean {
    return this.place === IN_TURN;
  }

  /** The held segments of a connection are looked at that was last moved to the end of the order at that frame. */
  enterHeld(orderedFrame: number): void {
    this.place = BEFORE_SWEEP + orderedFrame;
  }

  /** The sweep comes to a connection that was last moved to the end of the order at that frame. */
  enterSweep(orderedFrame: number): void {
    this.place = orderedFrame;
  }

  /** The frame's own segment follows. */
  enterTurn(): void {
    this.place = IN_TURN;
  }

  /** No more frames come. */
  end(): void {
    this.isOver = true;
  }
}

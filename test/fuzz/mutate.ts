import type { Below, Frame } from "./records.ts";

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x0d, 0x0a, 0x24, 0x2a, 0x2d];

/** One change to a list of frames, in place. Frames themselves are shared: a changed one is replaced. */
type Mutation = (frames: Frame[], below: Below) => void;

/** Loses, repeats or moves whole frames: what a network and a capture do by themselves. */
const MOVES: readonly Mutation[] = [
  (frames, below) => void frames.splice(below(frames.length), 1 + below(3)),
  (frames, below) => {
    const at = below(frames.length);
    frames.splice(at + below(4), 0, frames[at]!);
  },
  (frames, below) => {
    const at = below(frames.length);
    const [frame] = frames.splice(at, 1);
    frames.splice(Math.min(frames.length, at + below(8)), 0, frame!);
  },
];

/** What only chance or malice does. */
const WOUNDS: readonly Mutation[] = [
  change((bytes, below) => {
    bytes[below(bytes.length)] = below(256);
  }),
  change((bytes, below) => {
    bytes[below(bytes.length)] = INTERESTING[below(INTERESTING.length)]!;
  }),
  change((bytes, below) => {
    const at = below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << below(8));
  }),
  // The headers: where a byte does most.
  change((bytes, below) => {
    bytes[below(Math.min(bytes.length, 80))] = below(256);
  }),
  field(46, 4),
  field(42, 4),
  field(16, 2),
  field(38, 4),
  change((bytes, below) => {
    if (bytes.length > 47) bytes[47] = below(256);
  }),
  (frames, below) => {
    const at = below(frames.length);
    const frame = frames[at]!;
    frames[at] = { ...frame, bytes: frame.bytes.slice(0, below(frame.bytes.length + 1)) };
  },
  (frames, below) => {
    const at = below(frames.length);
    frames[at] = { ...frames[at]!, originalBytes: [0, 1, 65_535, 0xffffffff, below(3000)][below(5)]! };
  },
  (frames, below) => {
    const at = below(frames.length);
    const frame = frames[at]!;
    const steps = [
      -1,
      1,
      -1000,
      200_000,
      -5_000_000,
      61_000_000,
      600_000_000,
      -frame.timeUs,
      2 ** 32 * 1e6 - 1 - frame.timeUs,
    ];
    frames[at] = { ...frame, timeUs: Math.max(0, frame.timeUs + steps[below(steps.length)]!) };
  },
  (frames, below) => {
    const bytes = Uint8Array.from({ length: below(120) }, () => below(256));
    frames.splice(below(frames.length), 0, { ...frames[below(frames.length)]!, bytes, originalBytes: bytes.length });
  },
];

/** Some of the payload's bytes: a random piece is taken out, doubled or put elsewhere. */
const PAYLOADS: readonly Mutation[] = [
  (frames, below) => {
    const at = below(frames.length);
    const other = frames[below(frames.length)]!.bytes;
    const frame = frames[at]!;
    const from = Math.min(54 + below(40), frame.bytes.length);
    const bytes = Uint8Array.from([...frame.bytes.subarray(0, from), ...other.subarray(Math.min(54, other.length))]);
    frames[at] = { ...frame, bytes: bytes.slice(0, frame.bytes.length) };
  },
];

function change(edit: (bytes: Uint8Array, below: Below) => void): Mutation {
  return (frames, below) => {
    const at = below(frames.length);
    const frame = frames[at]!;
    if (frame.bytes.length === 0) return;
    const bytes = frame.bytes.slice();
    edit(bytes, below);
    frames[at] = { ...frame, bytes };
  };
}

/** A field of Ethernet, IPv4 or TCP without options, moved by a little or a lot. */
function field(at: number, size: 2 | 4): Mutation {
  return change((bytes, below) => {
    if (bytes.length < at + size) return;
    const view = new DataView(bytes.buffer);
    const by = [1, -1, 5, 1448, -1448, 0x10000, 0x10000000, 0x7fffffff, 0x80000000, below(0x7fffffff)][below(10)]!;
    if (size === 2) view.setUint16(at, view.getUint16(at) + by);
    else view.setUint32(at, view.getUint32(at) + by);
  });
}

/** Frames with some of them lost, repeated or moved. */
export function moved(frames: readonly Frame[], below: Below): Frame[] {
  return mutated(frames, below, MOVES);
}

/** Frames with whatever can befall them. */
export function wounded(frames: readonly Frame[], below: Below): Frame[] {
  return mutated(frames, below, [...MOVES, ...WOUNDS, ...WOUNDS, ...PAYLOADS]);
}

function mutated(frames: readonly Frame[], below: Below, by: readonly Mutation[]): Frame[] {
  const copy = [...frames];
  for (let left = 1 + below(1 << below(6)); left > 0 && copy.length > 0; left--) by[below(by.length)]!(copy, below);
  return copy;
}

/** A file with some bytes changed, cut out, doubled, or cut off. */
export function woundedFile(file: Uint8Array, below: Below): Uint8Array {
  let bytes = Uint8Array.from(file);
  for (let left = 1 + below(1 << below(5)); left > 0 && bytes.length > 0; left--) {
    const at = below(2) === 0 ? below(Math.min(bytes.length, 100)) : below(bytes.length);
    const kind = below(8);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1)
      bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(40))]));
    else if (kind === 2)
      bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(40)))]));
    else bytes[at] = kind < 5 ? INTERESTING[below(INTERESTING.length)]! : below(256);
  }
  return bytes;
}

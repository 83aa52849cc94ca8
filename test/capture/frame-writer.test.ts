import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FrameWriter } from "../../src/capture/frame-writer.ts";
import { TcplatError } from "../../src/errors.ts";
import type { WriteOptions } from "../../src/options.ts";
import { pcapFile } from "../support/pcap-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-writer-"));
after(() => rmSync(folder, { recursive: true }));

const noFullDisk = process.platform === "linux" ? false : "needs /dev/full";

const FRAME_BYTES = 84;
const RECORD_BYTES = 16 + FRAME_BYTES;

/** Records of 100 bytes, one for each second named. */
function records(seconds: readonly number[]): Buffer {
  return pcapFile(
    seconds.map((second) => ({ seconds: second, nanoseconds: 5, bytes: Buffer.alloc(FRAME_BYTES, second & 0xff) })),
  ).subarray(24);
}

let runNumber = 0;
function place(): string {
  runNumber++;
  return mkdtempSync(join(folder, `${runNumber}-`));
}

function options(file: string, rest: Partial<WriteOptions> = {}): WriteOptions {
  return { file, rotateBytes: null, rotateSeconds: null, fileCount: null, matchingBufferBytes: null, ...rest };
}

/** Writes frames of these seconds, in one batch or in one for each; returns the files and their frames' seconds. */
function run(name: string, rest: Partial<WriteOptions>, seconds: readonly number[], isOneBatch: boolean) {
  const where = place();
  const writer = new FrameWriter(options(join(where, name), rest), 1, 65535);
  const all = records(seconds);
  let isOpen = true;
  if (isOneBatch) isOpen = writer.write(all, 0, all.length);
  else for (let at = 0; at < all.length; at += RECORD_BYTES) isOpen = writer.write(all, at, at + RECORD_BYTES);
  writer.close();
  const files = Object.fromEntries(
    readdirSync(where)
      .sort()
      .map((file) => [file, secondsIn(readFileSync(join(where, file)))]),
  );
  return { files, isOpen };
}

function secondsIn(file: Buffer): number[] {
  assert.equal(file.readUInt32LE(0), 0xa1b23c4d);
  const seconds: number[] = [];
  for (let at = 24; at < file.length; at += RECORD_BYTES) seconds.push(file.readUInt32LE(at));
  return seconds;
}

test("without rotation the file is the header and the records as they came", () => {
  const file = join(place(), "plain.pcap");
  const writer = new FrameWriter(options(file), 276, 96);
  const all = records([1, 2, 3]);
  assert.equal(writer.write(all, RECORD_BYTES, 3 * RECORD_BYTES), true);
  writer.close();
  const expected = Buffer.concat([pcapFile([], { linkType: 276, snaplen: 96 }), all.subarray(RECORD_BYTES)]);
  assert.deepEqual(readFileSync(file), expected);
});

test("what was written is in the file before it is closed", () => {
  const file = join(place(), "early.pcap");
  const writer = new FrameWriter(options(file), 1, 65535);
  writer.write(records([1]), 0, RECORD_BYTES);
  assert.equal(statSync(file).size, 24 + RECORD_BYTES);
  writer.close();
});

// As tcpdump: a frame that finds the file beyond the limit goes into the next one. 24 + 2 * 100 > 150.
const ROTATIONS: readonly [string, Partial<WriteOptions>, number[], Record<string, number[]>][] = [
  ["-C numbers from the second file on", { rotateBytes: 150 }, [1, 2, 3, 4, 5], { x: [1, 2], x1: [3, 4], x2: [5] }],
  ["-C is passed before the next file begins", { rotateBytes: 124 }, [1, 2, 3, 4], { x: [1, 2], x1: [3, 4] }],
  ["-C above all sizes makes one file", { rotateBytes: 1_000_000 }, [1, 2, 3], { x: [1, 2, 3] }],
  [
    "-C -W is a ring, numbered from 0",
    { rotateBytes: 150, fileCount: 3 },
    [1, 2, 3, 4, 5, 6, 7],
    { x0: [7], x1: [3, 4], x2: [5, 6] },
  ],
  ["-C -W 1 overwrites its only file", { rotateBytes: 150, fileCount: 1 }, [1, 2, 3, 4, 5], { x: [5] }],
  ["-C -W 10 needs one digit", { rotateBytes: 50, fileCount: 10 }, [1, 2, 3], { x0: [1], x1: [2], x2: [3] }],
  ["-C -W 11 has leading zeros", { rotateBytes: 50, fileCount: 11 }, [1, 2, 3], { x00: [1], x01: [2], x02: [3] }],
  ["-G on the frames' clock", { rotateSeconds: 10 }, [100, 109, 110, 119, 140], { x: [140] }],
];
for (const isOneBatch of [true, false]) {
  for (const [what, rest, seconds, files] of ROTATIONS) {
    test(`${what} (${isOneBatch ? "one batch" : "a batch a frame"})`, () => {
      assert.deepEqual(run("x", rest, seconds, isOneBatch), { files, isOpen: true });
    });
  }

  test(`-G puts the time of a file's first frame into its name (${isOneBatch})`, () => {
    const { files } = run("x-%s.pcap", { rotateSeconds: 10 }, [100, 109, 110, 119, 140], isOneBatch);
    assert.deepEqual(files, { "x-100.pcap": [100, 109], "x-110.pcap": [110, 119], "x-140.pcap": [140] });
  });

  test(`-G -W ends after COUNT files (${isOneBatch})`, () => {
    const outcome = run("x-%s", { rotateSeconds: 10, fileCount: 2 }, [100, 110, 120, 130], isOneBatch);
    assert.deepEqual(outcome, { files: { "x-100": [100], "x-110": [110] }, isOpen: false });
  });

  test(`-G -W counts the file that begins at the epoch, too (${isOneBatch})`, () => {
    const outcome = run("x-%s", { rotateSeconds: 10, fileCount: 2 }, [0, 10, 20], isOneBatch);
    assert.deepEqual(outcome, { files: { "x-0": [0], "x-10": [10] }, isOpen: false });
  });

  test(`-G -C counts the files of each period (${isOneBatch})`, () => {
    const { files } = run("x-%s.", { rotateSeconds: 10, rotateBytes: 50 }, [100, 101, 110, 111], isOneBatch);
    assert.deepEqual(files, { "x-100.": [100], "x-100.1": [101], "x-110.": [110], "x-110.1": [111] });
  });
}

test("where the last frame ends that -G and -W take is told before it is written, for every batch", () => {
  const counts: readonly (readonly [Partial<WriteOptions>, readonly number[], number])[] = [
    [{ rotateSeconds: 10, fileCount: 2 }, [100, 109, 110, 119, 120, 121], 4],
    [{ rotateSeconds: 10, fileCount: 1 }, [100, 109, 110], 2],
    [{ rotateSeconds: 10, fileCount: 3 }, [100, 109, 110, 119, 120, 121], 6],
    [{ rotateSeconds: 10, fileCount: 2 }, [0, 10, 20], 2],
    [{ rotateSeconds: 10 }, [100, 110, 120], 3],
    [{ rotateSeconds: 10, rotateBytes: 50, fileCount: 1 }, [100, 110, 120], 3],
    [{ rotateBytes: 50, fileCount: 2 }, [100, 110, 120], 3],
  ];
  for (const [rest, seconds, taken] of counts) {
    const all = records(seconds);
    for (let first = 1; first <= seconds.length; first++) {
      const writer = new FrameWriter(options(join(place(), "x-%s"), rest), 1, 65535);
      const middle = first * RECORD_BYTES;
      let last = writer.lastEnd(all, 0, middle);
      writer.write(all, 0, middle);
      if (last === middle) last = writer.lastEnd(all, middle, all.length);
      assert.equal(last, taken * RECORD_BYTES, `${JSON.stringify(rest)}, ${first} frames first`);
      writer.close();
    }
  }
});

test("-G without any frame still makes a file, named after the present", () => {
  const where = place();
  const before = Math.floor(Date.now() / 1000);
  new FrameWriter(options(join(where, "none-%s"), { rotateSeconds: 10 }), 1, 65535).close();
  const [name] = readdirSync(where);
  assert.deepEqual(secondsIn(readFileSync(join(where, name!))), []);
  const second = Number(name!.slice("none-".length));
  assert.ok(second >= before && second <= Date.now() / 1000, name);
});

test("rotation keeps one file open, and no more", {
  skip: process.platform === "linux" ? false : "needs /proc",
}, () => {
  const openFiles = () => readdirSync("/proc/self/fd").length;
  const writer = new FrameWriter(options(join(place(), "x"), { rotateBytes: 50, fileCount: 3 }), 1, 65535);
  const before = openFiles();
  const all = records(Array.from({ length: 20 }, (_, i) => i));
  writer.write(all, 0, all.length);
  assert.equal(openFiles(), before);
  writer.close();
  assert.equal(openFiles(), before - 1);
});

test("reopen goes on in a new file once the old one was moved, and keeps the present one otherwise", () => {
  const file = join(place(), "moved.pcap");
  const writer = new FrameWriter(options(file), 1, 65535);
  const all = records([1, 2, 3]);
  writer.write(all, 0, RECORD_BYTES);
  writer.reopen();
  writer.write(all, RECORD_BYTES, 2 * RECORD_BYTES);
  renameSync(file, `${file}.1`);
  writer.reopen();
  writer.write(all, 2 * RECORD_BYTES, 3 * RECORD_BYTES);
  writer.close();
  assert.deepEqual(secondsIn(readFileSync(`${file}.1`)), [1, 2]);
  assert.deepEqual(secondsIn(readFileSync(file)), [3]);
});

test("where reopen cannot make the new file, writing goes on in the old one", () => {
  const where = place();
  const file = join(where, "moved.pcap");
  const writer = new FrameWriter(options(file), 1, 65535);
  const all = records([1, 2]);
  writer.write(all, 0, RECORD_BYTES);
  renameSync(where, `${where}.1`);
  assert.throws(() => writer.reopen(), /moved\.pcap cannot be written: ENOENT/);
  assert.equal(writer.write(all, RECORD_BYTES, 2 * RECORD_BYTES), true);
  writer.close();
  assert.deepEqual(secondsIn(readFileSync(join(`${where}.1`, "moved.pcap"))), [1, 2]);
});

test("where the new file has no room for its header, writing goes on in the old one", { skip: noFullDisk }, () => {
  const file = join(place(), "moved.pcap");
  const writer = new FrameWriter(options(file), 1, 65535);
  const all = records([1, 2]);
  writer.write(all, 0, RECORD_BYTES);
  renameSync(file, `${file}.1`);
  symlinkSync("/dev/full", file);
  assert.throws(() => writer.reopen(), /moved\.pcap cannot be written: ENOSPC/);
  assert.equal(writer.write(all, RECORD_BYTES, 2 * RECORD_BYTES), true);
  writer.close();
  assert.deepEqual(secondsIn(readFileSync(`${file}.1`)), [1, 2]);
});

test("a file that cannot be made is refused at once", () => {
  assert.throws(
    () => new FrameWriter(options(join(folder, "no", "such", "folder")), 1, 65535),
    (error) => error instanceof TcplatError && error.code === "file" && /cannot be written/.test(error.message),
  );
});

test("a full disk is an error in one line", { skip: noFullDisk }, () => {
  assert.throws(
    () => new FrameWriter(options("/dev/full"), 1, 65535),
    (error) => error instanceof TcplatError && error.code === "running" && /ENOSPC/.test(error.message),
  );
});

test("after a disk error nothing more is written, and what was stays whole", { skip: noFullDisk }, () => {
  const file = join(place(), "x");
  symlinkSync("/dev/full", `${file}1`);
  const writer = new FrameWriter(options(file, { rotateBytes: 50 }), 1, 65535);
  const all = records([1, 2, 3]);
  assert.equal(writer.write(all, 0, RECORD_BYTES), true);
  assert.throws(() => writer.write(all, RECORD_BYTES, all.length), /x1 cannot be written: ENOSPC/);
  assert.equal(writer.write(all, RECORD_BYTES, all.length), false);
  writer.close();
  assert.deepEqual(secondsIn(readFileSync(file)), [1]);
});

const TO_STDOUT = `
  const { FrameWriter } = await import(process.argv[1]);
  const writer = new FrameWriter({ file: "-", rotateBytes: null, rotateSeconds: null, fileCount: null }, 1, 65535);
  const batch = Buffer.alloc(1 << 16);
  batch.writeUInt32LE(batch.length - 16, 8);
  let isOpen = true;
  for (let i = 0; i < 100 && isOpen; i++) {
    isOpen = writer.write(batch, 0, batch.length);
    writer.reopen();
  }
  writer.close();
  process.stderr.write(String(isOpen));
`;
const MODULE = new URL("../../src/capture/frame-writer.js", import.meta.url).href;

test("- writes to standard output, all of it, whoever asks for a new file", () => {
  const words = ["--input-type=module", "-e", TO_STDOUT, MODULE];
  const child = spawnSync(process.execPath, words, { cwd: place(), maxBuffer: 1 << 24 });
  assert.equal(child.stdout.length, 24 + 100 * (1 << 16), String(child.stderr));
  assert.equal(String(child.stderr), "true");
});

test("a closed standard output ends the writing without an error", () => {
  const command = `"$0" --input-type=module -e "$1" "$2" | head -c 100 >/dev/null`;
  const child = spawnSync("sh", ["-c", command, process.execPath, TO_STDOUT, MODULE], { encoding: "utf8" });
  assert.equal(child.stderr, "false");
});

const TO_FILE = `
  const { FrameWriter } = await import(process.argv[1]);
  const writer = new FrameWriter({ file: process.argv[2], rotateBytes: null, rotateSeconds: null, fileCount: null }, 1, 65535);
  const batch = Buffer.alloc(60_000);
  batch.writeUInt32LE(batch.length - 16, 8);
  for (;;) writer.write(batch, 0, batch.length);
`;

test("a batch of which only half has room is cut away: the file stays readable", { skip: noFullDisk }, () => {
  const file = join(place(), "half.pcap");
  const command = `trap '' XFSZ; ulimit -f 1000; exec "$0" --input-type=module -e "$1" "$2" "$3"`;
  const child = spawnSync("sh", ["-c", command, process.execPath, TO_FILE, MODULE, file], { encoding: "utf8" });
  assert.match(child.stderr, /half\.pcap cannot be written: EFBIG/);
  const { size } = statSync(file);
  assert.ok(size > 24, `${size}`);
  assert.equal((size - 24) % 60_000, 0);
});

test("standard output on a full disk is an error, and no quiet end", { skip: noFullDisk }, () => {
  const full = openSync("/dev/full", "w");
  const words = ["--input-type=module", "-e", TO_STDOUT, MODULE];
  const child = spawnSync(process.execPath, words, { encoding: "utf8", stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  assert.match(child.stderr, /standard output cannot be written: ENOSPC/);
});

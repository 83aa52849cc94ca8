import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openFile } from "../../src/capture/libpcap.ts";
import { TcplatError } from "../../src/errors.ts";
import { readAll } from "../support/frames.ts";
import { pcapFile, pcapngFile, type TestFrame, udpFrame } from "../support/pcap-file.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-file-"));
after(() => rmSync(folder, { recursive: true }));

const FRAMES: readonly TestFrame[] = [
  { seconds: 1583666586, nanoseconds: 257659001, bytes: udpFrame(1000, 53, "one") },
  { seconds: 1583666586, nanoseconds: 258761999, bytes: udpFrame(53, 1000, "two!"), originalBytes: 1400 },
  { seconds: 4102444800, nanoseconds: 0, bytes: udpFrame(1000, 6379, "three") },
];

let fileNumber = 0;
function save(bytes: Buffer): string {
  fileNumber++;
  const path = join(folder, `${fileNumber}.pcap`);
  writeFileSync(path, bytes);
  return path;
}

async function readFile(file: string, filter = "") {
  const source = await openFile({ file, filter });
  const outcome = await readAll(source);
  source.close();
  return { source, ...outcome };
}

function isError(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TcplatError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    assert.ok(!error.message.includes("\n"), "one line");
    return true;
  };
}

for (const isBigEndian of [false, true]) {
  for (const hasNanoseconds of [false, true]) {
    for (const [kind, make] of [
      ["pcap", pcapFile],
      ["pcapng", pcapngFile],
    ] as const) {
      const format = { isBigEndian, hasNanoseconds };
      test(`a ${kind} file, ${JSON.stringify(format)}, gives every frame with its time in nanoseconds`, async () => {
        const { source, frames, fault } = await readFile(save(make(FRAMES, format)));
        assert.equal(fault, null);
        assert.equal(source.linkType, 1);
        assert.equal(source.warning, null);
        assert.equal(source.clock, "file");
        const expected = FRAMES.map((frame) => ({
          seconds: frame.seconds,
          nanoseconds: hasNanoseconds ? frame.nanoseconds : Math.floor(frame.nanoseconds / 1000) * 1000,
          originalBytes: frame.originalBytes ?? frame.bytes.length,
          bytes: Buffer.from(frame.bytes),
        }));
        assert.deepEqual(frames, expected);
      });
    }
  }
}

test("the link type is the file's own number, also where libpcap has another one inside", async () => {
  for (const linkType of [0, 1, 101, 113, 276]) {
    const { source } = await readFile(save(pcapFile(FRAMES, { linkType })));
    assert.equal(source.linkType, linkType);
  }
});

test("a filter lets only its frames through", async () => {
  const { frames } = await readFile(save(pcapFile(FRAMES)), "udp port 53");
  assert.deepEqual(
    frames.map((frame) => frame.bytes),
    FRAMES.slice(0, 2).map((frame) => Buffer.from(frame.bytes)),
  );
});

test("a file without frames ends at once", async () => {
  const { frames, fault } = await readFile(save(pcapFile([])));
  assert.deepEqual([frames, fault], [[], null]);
});

test("a file cut anywhere in its last frame gives the frames before it and a warning", async () => {
  for (const [make, tail] of [
    [pcapFile, 16 + (FRAMES[2]?.bytes.length ?? 0)],
    [pcapngFile, 32 + (FRAMES[2]?.bytes.length ?? 0)],
  ] as const) {
    const whole = make(FRAMES);
    for (let cut = 1; cut < tail; cut++) {
      const { source, frames, fault } = await readFile(save(whole.subarray(0, whole.length - cut)));
      assert.equal(fault, null, `cut ${cut}`);
      assert.equal(frames.length, 2, `cut ${cut}`);
      assert.match(source.warning ?? "", /ends in the middle of a frame/, `cut ${cut}`);
    }
  }
});

test("a file broken in the middle gives the frames before the fault, then libpcap's words", async () => {
  const file = pcapFile(FRAMES);
  const secondAt = 24 + 16 + (FRAMES[0]?.bytes.length ?? 0);
  file.writeUInt32LE(0x7fffffff, secondAt + 8);
  const { frames, fault } = await readFile(save(file));
  assert.equal(frames.length, 1);
  assert.ok(isError("running", /cannot be read further: .*2147483647/)(fault));
});

test("a snaplen of 0, 2^31 - 1 or 2^32 - 1 in the header does not matter", async () => {
  const big: TestFrame = { seconds: 1, nanoseconds: 2, bytes: Buffer.alloc(262_144, 7) };
  for (const snaplen of [0, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const many = Array.from({ length: 80 }, () => big);
    const { source, frames, fault } = await readFile(save(pcapFile(many, { snaplen })));
    assert.equal(fault, null);
    assert.ok(source.snaplen >= 1 && source.snaplen <= 262_144, String(source.snaplen));
    assert.equal(frames.length, 80);
    assert.ok(frames.every((frame) => frame.bytes.equals(big.bytes)));
  }
});

test("a frame longer than the header's snaplen is read whole, and the one behind it, too", async () => {
  const { frames, fault } = await readFile(save(pcapFile(FRAMES, { snaplen: 16 })));
  assert.equal(fault, null);
  assert.deepEqual(
    frames.map((frame) => frame.bytes),
    FRAMES.map((frame) => Buffer.from(frame.bytes)),
  );
});

test("batches join without a seam over many thousand frames of every size", async () => {
  const frames = Array.from({ length: 20_000 }, (_, i) => ({
    seconds: i,
    nanoseconds: i,
    bytes: Buffer.alloc(1 + (i % 1500), i & 0xff),
  }));
  const outcome = await readFile(save(pcapFile(frames)));
  assert.equal(outcome.frames.length, frames.length);
  assert.ok(outcome.frames.every((frame, i) => frame.seconds === i && frame.bytes.equals(frames[i]!.bytes)));
});

test("a filtered file of long frames, short frames between them, is read to its end", async () => {
  const payload = (i: number): string => String(i % 10).repeat(i % 100 < 50 ? 60_000 : 10);
  const frames = Array.from({ length: 400 }, (_, i) => ({
    seconds: i,
    nanoseconds: i,
    bytes: udpFrame(1000, i % 7 === 0 ? 54 : 53, payload(i)),
  }));
  const wanted = frames.filter((_, i) => i % 7 !== 0);
  const outcome = await readFile(save(pcapFile(frames)), "udp port 53");
  assert.deepEqual(
    outcome.frames.map((frame) => frame.seconds),
    wanted.map((frame) => frame.seconds),
  );
  assert.equal(outcome.fault, null);
});

const REFUSED: readonly [string, () => string, RegExp][] = [
  ["a missing file", () => join(folder, "none.pcap"), /none\.pcap: no such file/],
  ["a folder", () => folder, /is a directory/],
  ["an empty file", () => save(Buffer.alloc(0)), /cannot be read as a capture file: truncated/],
  ["a text", () => save(Buffer.from("GET / HTTP/1.1\r\n".repeat(10))), /cannot be read as a capture file/],
  ["a compressed capture", () => save(gzipSync(pcapFile(FRAMES))), /it is compressed: zcat .* \| tcplat -r -/],
  ["a cut header", () => save(pcapFile(FRAMES).subarray(0, 20)), /cannot be read as a capture file/],
  ["a link type without IP", () => save(pcapFile(FRAMES, { linkType: 249 })), /holds no network frames/],
];
for (const [what, file, text] of REFUSED) {
  test(`${what} is refused in one line`, async () => {
    await assert.rejects(openFile({ file: file(), filter: "" }), isError("file", text));
  });
}

test("a wrong filter is refused in libpcap's words", async () => {
  const file = save(pcapFile(FRAMES));
  await assert.rejects(openFile({ file, filter: "tcp prot 80" }), isError("filter", /syntax error/));
});

const READER = `
  const { openFile } = await import(process.argv[1]);
  const source = await openFile({ file: "-", filter: "" });
  let bytes = 0;
  for (;;) {
    const length = await source.read();
    if (length < 0) break;
    if (bytes === 0) console.log("first");
    bytes += length;
  }
  console.log(bytes, source.warning);
  source.close();
`;
const READER_ARGUMENTS = [
  "--input-type=module",
  "-e",
  READER,
  new URL("../../src/capture/libpcap.js", import.meta.url).href,
];

test("standard input gives what a file gives, cut or whole", () => {
  const file = pcapFile(FRAMES);
  const whole = spawnSync(process.execPath, READER_ARGUMENTS, { input: file, encoding: "utf8" });
  assert.equal(whole.stdout, `first\n${file.length - 24} null\n`, whole.stderr);
  const cut = spawnSync(process.execPath, READER_ARGUMENTS, { input: file.subarray(0, -1), encoding: "utf8" });
  assert.match(cut.stdout, /standard input ends in the middle of a frame/);
});

test("frames from a slow standard input arrive before it ends", async () => {
  const child = spawn(process.execPath, READER_ARGUMENTS, { stdio: ["pipe", "pipe", "inherit"] });
  const file = pcapFile(FRAMES);
  child.stdin.write(file);
  const chunks: string[] = [];
  for await (const chunk of child.stdout) {
    chunks.push(String(chunk));
    if (chunks.length === 1) child.stdin.end();
  }
  assert.equal(chunks[0], "first\n");
  assert.equal(chunks.join(""), `first\n${file.length - 24} null\n`);
});

test("the last frames of a burst do not wait for others to follow, whatever came before and the filter leaves out", async () => {
  const script = READER.replace("bytes += length;", "bytes += length; console.log(bytes);").replace(
    'filter: ""',
    "filter: process.argv[2]",
  );
  const [program = "", , , module = ""] = READER_ARGUMENTS;
  for (const filter of ["", "udp port 6379"]) {
    const child = spawn(process.execPath, [program, "-e", script, module, filter], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const closed = new Promise((resolve) => child.on("close", resolve));
    const file = pcapFile(FRAMES);
    const records = file.subarray(24);
    const kept = filter === "" ? records.length : 16 + FRAMES[2]!.bytes.length;
    child.stdin.write(file.subarray(0, 24));
    let times = 0;
    try {
      for (const burst of [1, 7, 30, 5000, 40]) {
        times += burst;
        child.stdin.write(Buffer.concat(Array.from({ length: burst }, () => records)));
        await until(`${times} times all frames`, () => output.endsWith(`\n${times * kept}\n`));
      }
    } finally {
      child.stdin.end();
      await closed;
    }
  }
});

test("a source waiting for standard input can be closed, and the process ends", async () => {
  const script = `
    const { openFile } = await import(process.argv[1]);
    const source = await openFile({ file: "-", filter: "" });
    await source.read();
    const waiting = source.read();
    setImmediate(() => source.close());
    console.log(await waiting);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, READER_ARGUMENTS[3] ?? ""], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.write(pcapFile(FRAMES.slice(0, 1)));
  const closed = new Promise((resolve) => child.on("close", resolve));
  let output = "";
  for await (const chunk of child.stdout) output += chunk;
  assert.equal(output, "-1\n");
  assert.equal(await closed, 0);
});

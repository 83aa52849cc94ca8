import assert from "node:assert/strict";
import { test } from "node:test";
import { u32le } from "../../src/bytes/read.ts";
import type { FrameLayout } from "../../src/capture/frame-source.ts";
import { openLive } from "../../src/capture/libpcap.ts";
import { BLOCK_TIMEOUT_MS } from "../../src/capture/live-options.ts";
import type { LiveSource } from "../../src/capture/live-source.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import { captureObstacle, sendDatagram } from "../support/live.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? false;
/** Nothing listens there, and the filters keep other traffic out. */
const PORT = 30_000 + (process.pid % 10_000);

interface Opened {
  readonly interface?: string;
  readonly filter?: string;
  readonly snaplen?: number;
  readonly bufferKib?: number;
}

function open(inPlace: boolean, options: Opened = {}): LiveSource {
  const usual = { interface: "lo", snaplen: 65535, bufferKib: 4096, filter: `udp port ${PORT}` };
  return openLive({ ...usual, ...options, inPlace });
}

/** What came, a line each: when, how long it was, and what was captured of its datagram. */
class Reader {
  readonly lines: string[] = [];
  frames = 0;
  batches = 0;
  readonly #source: LiveSource;
  readonly #decoder: Decoder;

  constructor(source: LiveSource) {
    this.#source = source;
    this.#decoder = new Decoder(source.linkType, true, source.layout);
  }

  /** Reads batch after batch until none is there. */
  drain(): void {
    for (;;) {
      const end = this.#source.read();
      if (end <= 0) return;
      this.batches++;
      for (let at = this.#source.batchStart; at < end; at = this.#decoder.next) this.#take(at);
    }
  }

  #take(at: number): void {
    const { batch } = this.#source;
    this.frames++;
    if (!this.#decoder.decode(batch, at)) return;
    const { timeUs, payloadStart, payloadCaptured, payloadLength } = this.#decoder.segment;
    const text = Buffer.from(batch.subarray(payloadStart, payloadStart + payloadCaptured)).toString("latin1");
    assert.ok(u32le(batch, at + 8) <= u32le(batch, at + 12));
    this.lines.push(`${timeUs} ${payloadLength} ${text}`);
  }
}

/** Sends these and returns what both ways of capturing tell of them. */
async function bothWays(
  options: Opened,
  send: () => Promise<void>,
  count: number,
): Promise<[ring: Reader, copied: Reader]> {
  const sources = [open(true, options), open(false, options)] as const;
  const readers = [new Reader(sources[0]), new Reader(sources[1])] as const;
  try {
    await send();
    await until(`${count} frames each`, () => {
      for (const reader of readers) reader.drain();
      return readers.every(({ frames }) => frames >= count);
    });
    return [...readers];
  } finally {
    for (const source of sources) source.close();
  }
}

async function sendSome(): Promise<void> {
  for (const size of [0, 1, 8, 500, 20_000, 65_507])
    await sendDatagram(PORT, `${size}`.padEnd(size, "x").slice(0, size));
  await sendDatagram(PORT + 1, "elsewhere");
  await sendDatagram(PORT, "last");
}

for (const name of ["lo", "any"]) {
  for (const snaplen of [65535, 96]) {
    test(`on ${name} the ring read in place tells what libpcap's copies tell, with a snaplen of ${snaplen}`, {
      skip,
    }, async () => {
      const options = { interface: name, snaplen };
      const [ring, copied] = await bothWays(options, sendSome, 7);
      // A cooked frame's header, of 20 bytes, counts for libpcap, and not in the ring.
      const told = (line: string) => (name === "any" && snaplen === 96 ? line.split(" ").slice(0, 2).join(" ") : line);
      assert.deepEqual(ring.lines.map(told), copied.lines.map(told));
      assert.equal(ring.frames, 7);
    });
  }
}

const FILTERS: readonly (readonly [
  interfaceName: string,
  filter: string,
  layout: FrameLayout,
  payloads: readonly string[],
])[] = [
  ["any", "udp port PORT", "kernel-ring", ["four", "six"]],
  ["any", "", "kernel-ring", ["four", "six", "elsewhere"]],
  ["any", "ip6 and udp port PORT", "kernel-ring", ["six"]],
  ["any", "dst host 127.0.0.1 and udp and not port PORT", "kernel-ring", ["elsewhere"]],
  ["any", "udp[8:2] = 0x666f and udp dst port PORT", "kernel-ring", ["four"]],
  ["any", "inbound and udp port PORT", "kernel-ring", ["four", "six"]],
  ["any", "outbound and udp port PORT", "kernel-ring", []],
  ["any", "less 100 and udp port PORT", "records", ["four", "six"]],
  ["lo", "udp port PORT", "kernel-ring", ["four", "six"]],
  ["lo", "less 100 and udp port PORT", "kernel-ring", ["four", "six"]],
  ["lo", "udp portrange PORT-65535 and ip", "kernel-ring", ["four", "elsewhere"]],
  ["lo", "udp port PORT or (vlan and udp port PORT)", "records", ["four", "six"]],
  ["lo", "inbound and udp port PORT", "kernel-ring", ["four", "six"]],
];
for (const [interfaceName, filter, layout, payloads] of FILTERS) {
  test(`on ${interfaceName} the filter ${JSON.stringify(filter)} lets through what it should, as ${layout}`, {
    skip,
  }, async () => {
    const source = open(true, { interface: interfaceName, filter: filter.replaceAll("PORT", `${PORT}`) });
    try {
      assert.equal(source.layout, layout);
      const reader = new Reader(source);
      await sendDatagram(PORT, "four");
      await sendDatagram(PORT, "six", "::1");
      await sendDatagram(PORT + 1, "elsewhere");
      const seen = () =>
        reader.lines
          .map((line) => line.split(" ").slice(2).join(" "))
          .filter((text) => /^(four|six|elsewhere)$/.test(text));
      await until("all of them", () => {
        reader.drain();
        return seen().length >= payloads.length;
      });
      // Blocks come after 128 ms at the latest.
      await new Promise((resolve) => setTimeout(resolve, 150));
      reader.drain();
      assert.deepEqual(seen(), payloads);
    } finally {
      source.close();
    }
  });
}

test("more than the ring holds comes whole and in order, as long as somebody reads", { skip }, async () => {
  const source = open(true, { bufferKib: 2048 });
  try {
    assert.equal(source.layout, "kernel-ring");
    const reader = new Reader(source);
    const sent: string[] = [];
    for (let i = 0; i < 400; i++) {
      const text = `${i} `.padEnd(20_000, "x");
      sent.push(text);
      await sendDatagram(PORT, text);
      reader.drain();
    }
    await until("all of them", () => {
      reader.drain();
      return reader.frames >= sent.length;
    });
    assert.deepEqual(
      reader.lines.map((line) => line.split(" ").slice(2).join(" ")),
      sent,
    );
    assert.deepEqual(source.drops(), { kernel: 0, interface: 0, engine: 0 });
  } finally {
    source.close();
  }
});

/** A ring of 2 MiB, in the smallest blocks there are; of datagrams of 20,000 bytes each takes so many. */
const BLOCKS = 8;
const FRAMES_PER_BLOCK = 12;

test("what finds the ring full is counted, and all that found room comes", { skip }, async () => {
  const source = open(true, { bufferKib: 2048 });
  try {
    const count = 200;
    for (let i = 0; i < count; i++) await sendDatagram(PORT, "x".repeat(20_000));
    const reader = new Reader(source);
    await until("what there is room for", () => {
      reader.drain();
      return reader.frames + source.drops().kernel >= count;
    });
    assert.equal(reader.frames + source.drops().kernel, count);
    // The kernel hands a block over when it is full, or in its time: the longer the sending took, the more of them were not full.
    assert.equal(reader.batches, BLOCKS);
    const timesUs = reader.lines.map((line) => Number.parseInt(line, 10));
    const inTime = Math.ceil((timesUs.at(-1)! - timesUs[0]!) / (BLOCK_TIMEOUT_MS * 1000));
    const least = FRAMES_PER_BLOCK * (BLOCKS - 1 - inTime);
    assert.ok(reader.frames >= least && reader.frames < count, `${reader.frames} of ${least}`);
    assert.equal(source.drops().kernel, source.drops().kernel, "the kernel's counters begin anew, ours do not");
  } finally {
    source.close();
  }
});

test("a buffer too small for blocks is libpcap's", { skip }, () => {
  const source = open(true, { bufferKib: 1024 });
  assert.equal(source.layout, "records");
  source.close();
});

test("after the end the ring's memory can still be looked at", { skip }, async () => {
  const source = open(true);
  await sendDatagram(PORT, "something");
  const { batch } = source;
  await until("a frame", () => source.read() > 0);
  source.close();
  assert.equal(source.read(), -1);
  assert.ok(batch.every((byte) => byte === 0));
});

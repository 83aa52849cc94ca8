/**
 * One stage, and all before it, over a capture file: a process of its own, so that no other run has taught the compiler anything.
 * Prints what a warm frame costs, as JSON. Run by stages.ts: node dist/test/bench/stage-process.js STAGE FILE PORT WARM
 * WARM frames are read before measuring begins: the compiler has settled then.
 */
import type { FrameSource } from "../../src/capture/frame-source.ts";
import { openFile } from "../../src/capture/libpcap.ts";
import { ConnectionTable } from "../../src/connection/connection-table.ts";
import type { StreamReceiver } from "../../src/connection/receiver.ts";
import type { RoleHints } from "../../src/connection/roles.ts";
import { ConnectionRoom } from "../../src/connection/room.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import type { Options } from "../../src/options.ts";
import { Pipeline } from "../../src/pipeline.ts";
import type { ServiceSink } from "../../src/transactions/transaction.ts";
import { settleForFrames } from "../../src/v8.ts";

/** Takes batch[0, length) and returns how many frames that were. */
type Consume = (batch: Uint8Array, length: number) => number;

const [stage = "", file = "", port = "", warm = "300000"] = process.argv.slice(2);

function optionsOf(protocolPort: number): Options {
  return {
    interface: "any",
    read: file,
    write: null,
    protocols: [{ name: "redis", ports: [protocolPort] }],
    thresholdUs: null,
    condition: null,
    raw: null,
    count: null,
    snaplen: 65_535,
    bufferKib: 65_536,
    statsPort: 0,
    statsHost: "127.0.0.1",
    metricsPort: 0,
    metricsHost: "127.0.0.1",
    vlan: false,
    json: false,
    quiet: true,
    engine: "libpcap",
    side: "auto",
    servers: [],
    details: false,
    showValues: false,
    scripts: [],
    httpPathDepth: null,
    dumpSlow: null,
    report: null,
    idleTimeoutUs: 300_000_000,
    requestTimeoutUs: 60_000_000,
    maxConnections: 100_000,
    workers: 1,
    maxCpuPercent: null,
    filter: "",
  };
}

/** The frames' lengths are looked at, and nothing else. */
function reading(): Consume {
  return (batch, length) => {
    let frames = 0;
    for (let at = 0; at < length; frames++)
      at += 16 + (batch[at + 8]! | (batch[at + 9]! << 8) | (batch[at + 10]! << 16));
    return frames;
  };
}

function decoding(source: FrameSource): Consume {
  const decoder = new Decoder(source.linkType);
  return (batch, length) => {
    let frames = 0;
    for (let at = 0; at < length; frames++) {
      decoder.decode(batch, at);
      at = decoder.next;
    }
    return frames;
  };
}

const DEAF: StreamReceiver = {
  data() {},
  gap() {},
  retransmitted() {},
  sentForNothing() {},
  serverFinished() {},
  ended() {},
  expire() {},
  hasPending: false,
};

/** The server is who has the port. */
const HINTS: RoleHints = {
  servers: new Set(),
  namedPorts: new Set([Number(port)]),
  filterPorts: new Set(),
  knownPorts: new Set(),
  speaker: () => null,
  datagramSpeaker: () => null,
};

function connecting(source: FrameSource): Consume {
  const decoder = new Decoder(source.linkType);
  const table = new ConnectionTable({
    room: new ConnectionRoom(100_000),
    idleTimeoutUs: 300_000_000,
    attach: () => DEAF,
    hints: HINTS,
    localAddresses: () => new Set(),
    side: null,
    seed: 1,
  });
  return (batch, length) => {
    let frames = 0;
    for (let at = 0; at < length; frames++) {
      const isSegment = decoder.decode(batch, at);
      table.advanceClock(decoder.segment);
      if (isSegment) table.accept(decoder.segment);
      at = decoder.next;
    }
    return frames;
  };
}

let transactions = 0;
/** Counts answers, where the aggregate would fill histograms. */
const COUNTING: ServiceSink = {
  requested() {},
  settledSilently() {},
  begun() {},
  toldFromUs: 2 ** 30,
  notedFromUs: 2 ** 30,
  answered() {
    transactions++;
  },
  answeredSoon(_commandId, _responseBytes, _waitUs, _queueUs, _toServerUs, count) {
    transactions += count;
  },
  unanswered() {},
  unfinished() {},
  unmatched() {},
  pushed() {},
  lookups() {},
  parserError() {},
  resynced() {},
};

function running(source: FrameSource, hasNumbers: boolean): Consume {
  const pipeline = new Pipeline(optionsOf(Number(port)), source, [], () => ({}));
  if (!hasNumbers) pipeline.aggregate.service = () => COUNTING;
  return (batch, length) => {
    const before = pipeline.frames;
    pipeline.consume(batch, length, Number.POSITIVE_INFINITY);
    return pipeline.frames - before;
  };
}

const STAGES: Readonly<Record<string, (source: FrameSource) => Consume>> = {
  read: reading,
  decode: decoding,
  connection: connecting,
  pairing: (source) => running(source, false),
  full: (source) => running(source, true),
};

/** Prints what a frame of the file costs, once `warm` of them are read. */
async function measureStage(): Promise<void> {
  const source = await openFile({ file, filter: "" });
  const consume = STAGES[stage]!(source);
  let frames = 0;
  let warmFrom = 0;
  let warmCpu: NodeJS.CpuUsage | undefined;
  for (;;) {
    const length = await source.read();
    if (length < 0) break;
    frames += consume(source.batch, length);
    if (warmCpu === undefined && frames >= Number(warm)) {
      warmFrom = frames;
      warmCpu = process.cpuUsage();
    }
  }
  if (warmCpu === undefined) throw new Error(`${file} has only ${frames} frames`);
  const { user, system } = process.cpuUsage(warmCpu);
  const nsPerFrame = ((user + system) * 1000) / (frames - warmFrom);
  console.log(JSON.stringify({ frames, nsPerFrame, transactions }));
}

settleForFrames();
void measureStage();

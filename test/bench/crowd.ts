import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TcpFlag } from "../../src/decode/segment.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { frameOf, latin1 } from "../support/segments.ts";
import { cacheFolder } from "./captures.ts";

const SERVER = { address: "10.0.0.1", port: 6379 };
const NONE = new Uint8Array(0);
const GET = latin1("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
const VALUE = latin1("$3\r\nabc\r\n");
const PCAP_HEADER_BYTES = 24;
/** 2026-11-21 00:00 UTC. */
const START_US = Date.UTC(2026, 10, 21) * 1000;

interface Step {
  readonly isFromClient: boolean;
  readonly flags: number;
  readonly payload: Uint8Array;
}

const { syn, ack, psh } = TcpFlag;
const HANDSHAKE: readonly Step[] = [
  { isFromClient: true, flags: syn, payload: NONE },
  { isFromClient: false, flags: syn | ack, payload: NONE },
  { isFromClient: true, flags: ack, payload: NONE },
];
const ASK: Step = { isFromClient: true, flags: ack | psh, payload: GET };
const ANSWER: Step = { isFromClient: false, flags: ack | psh, payload: VALUE };

/** A capture file made by hand: so many connections, all open at once, each with `rounds` requests and answers. Kept. */
export function crowdFile(connections: number, rounds: number): string {
  const file = join(cacheFolder(), `crowd-${connections}-${rounds}.pcap`);
  if (existsSync(file)) return file;
  const descriptor = openSync(`${file}.part`, "w");
  writeSync(descriptor, pcapFile([]));
  const states = Array.from({ length: connections }, () => ({ client: 0, server: 0 }));
  const steps = [...HANDSHAKE, ...Array.from({ length: rounds }, () => [ASK, ANSWER]).flat()];
  let timeUs = START_US;
  for (const step of steps) {
    const records = states.map((state, index) => record(step, state, index, timeUs++));
    writeSync(descriptor, Buffer.concat(records));
  }
  closeSync(descriptor);
  renameSync(`${file}.part`, file);
  return file;
}

function record(step: Step, state: { client: number; server: number }, index: number, timeUs: number): Buffer {
  const { isFromClient, flags, payload } = step;
  const client = { address: `10.1.${(index >> 8) & 255}.${index & 255}`, port: 20_000 + (index >> 16) };
  const [mine, theirs] = isFromClient ? (["client", "server"] as const) : (["server", "client"] as const);
  const bytes = frameOf({
    timeUs,
    from: isFromClient ? client : SERVER,
    to: isFromClient ? SERVER : client,
    sequence: state[mine],
    acknowledgement: state[theirs],
    flags,
    window: 65_535,
    payload,
    ipId: 0,
  });
  state[mine] += payload.length + ((flags & syn) === 0 ? 0 : 1);
  const frame = { seconds: Math.floor(timeUs / 1e6), nanoseconds: (timeUs % 1e6) * 1000, bytes };
  return pcapFile([frame]).subarray(PCAP_HEADER_BYTES);
}

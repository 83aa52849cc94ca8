import { memcachedDialogue, redisDialogue } from "../fuzz/dialogues.ts";
import { random } from "../properties/simulation.ts";
import { pcapFile, udpFrame } from "../support/pcap-file.ts";
import {
  BEGIN_US,
  CLIENT,
  concat,
  Dialogue,
  ETHERNET,
  frameOf,
  recordOf,
  seenAgain,
  sentAgain,
  type TestHost,
  type TestSegment,
  type Wire,
} from "../support/segments.ts";

/** What a medley may be made of, besides dialogues of Redis and memcached that are whole. */
export interface MedleyOptions {
  readonly seed: number;
  readonly connections: number;
  /** One frame in so many is lost; 0: none. */
  readonly lossOf: number;
  /** One connection in so many was there before the capture; 0: none. */
  readonly midstreamOf: number;
  /** Largest time between the beginnings of two connections, µs. */
  readonly pauseUs: number;
}

interface Arrival {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
}

const SERVERS = ["10.0.0.2", "10.0.0.3", "10.9.0.2"];
const SERVERS_V6 = ["2001:db8::2", "2001:db8:1::7"];
const TAG = 0x8100;
const OUTER_TAG = 0x88a8;
const WIRES: readonly Wire[] = [
  ETHERNET,
  ETHERNET,
  { ...ETHERNET, vlanTags: [TAG] },
  { ...ETHERNET, vlanTags: [OUTER_TAG, TAG] },
  { ...ETHERNET, ipOptions: new Uint8Array(8).fill(1) },
  { ...ETHERNET, extensions: [[0, new Uint8Array(8)]] },
];

/**
 * A capture of many connections at once: IPv4 and IPv6, behind no tag, one and two, with options and extension headers, some
 * known from their middle on, with frames lost, captured twice and out of order, and with frames that are nobody's. The same
 * options make the same bytes.
 */
export function medleyFile(options: MedleyOptions): Buffer {
  const below = random(options.seed);
  const arrivals: Arrival[] = [];
  let beginUs = 0;
  for (let number = 0; number < options.connections; number++) {
    arrivals.push(...connection(below, number, beginUs, options));
    beginUs += below(options.pauseUs);
    if (below(6) === 0) arrivals.push({ timeUs: BEGIN_US + beginUs, bytes: udpFrame(53, 40_000, "nobody's") });
  }
  arrivals.sort((a, b) => a.timeUs - b.timeUs);
  // The clock of a capture is set back now and then.
  const records = arrivals.map(({ timeUs, bytes }) => recordOf(timeUs - (below(50) === 0 ? 3 : 0), bytes));
  return Buffer.concat([pcapFile([]), concat(records)]);
}

function connection(below: (n: number) => number, number: number, beginUs: number, how: MedleyOptions): Arrival[] {
  const isV6 = below(3) === 0;
  const servers = isV6 ? SERVERS_V6 : SERVERS;
  const server = servers[below(servers.length)]!;
  // Some ports are used again, and neighbours differ in one bit.
  const client = { address: isV6 ? "2001:db8::1" : "10.0.0.1", port: 40_000 + (number % 90) * 2 };
  const segments = dialogue(below);
  const wire = WIRES[below(WIRES.length)]!;
  const isLate = how.midstreamOf > 0 && below(how.midstreamOf) === 0;
  const place = (host: TestHost) => (host.address === CLIENT.address ? client : { address: server, port: host.port });
  const seen = isLate ? segments.slice(3 + below(3)) : segments;
  return seen.flatMap((segment): Arrival[] => {
    if (how.lossOf > 0 && below(how.lossOf) === 0) return [];
    const timeUs = segment.timeUs + beginUs;
    const moved = { ...segment, timeUs, from: place(segment.from), to: place(segment.to) };
    const copies = below(40) === 0 ? [moved, seenAgain(moved, 2)] : [moved];
    return copies.map((of) => ({ timeUs: of.timeUs, bytes: frameOf(of, wire) }));
  });
}

function dialogue(below: (n: number) => number): readonly TestSegment[] {
  const kind = below(10);
  if (kind === 0) return slowlyMade();
  if (kind === 1) return endless();
  return kind < 7 ? redisDialogue(below).truth.frames : memcachedDialogue(below).segments;
}

/** A connection whose SYN was sent again, and which is reset with a request under way. */
function slowlyMade(): readonly TestSegment[] {
  const of = new Dialogue();
  of.segments.push(sentAgain(of.syn(0), 1_000_000));
  of.synAck(1_000_200);
  of.ack("client", 1_000_250);
  of.client(1_001_000, "*1\r\n$4\r\nPING\r\n");
  of.server(1_001_090, "+PONG\r\n");
  of.client(1_002_000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  of.fin("server", 1_003_000);
  return of.segments;
}

/** Requests that are still waiting when the capture ends, or time out. */
function endless(): readonly TestSegment[] {
  const of = new Dialogue();
  of.open(0);
  of.client(1000, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n");
  of.server(1100, "$-1\r\n");
  return of.segments;
}

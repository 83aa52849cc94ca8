import { type Exchange, type Plan, type Simulation, simulate, type TruePair } from "../properties/simulation.ts";
import { answer, framed, question } from "../support/dns.ts";
import {
  fetch,
  fetchResponse,
  heartbeat,
  heartbeatResponse,
  produce,
  produceResponse,
} from "../support/kafka-frames.ts";
import { BEGIN_US, CLIENT, Dialogue, datagram, SERVER, type TestSegment } from "../support/segments.ts";
import type { Below } from "./records.ts";

const REQUESTS = ["get", "set", "inline", "setHostile"] as const;
const REPLIES = ["status", "error", "integer", "bulk", "nil", "array", "hostile", "double"] as const;
const CLIENTS = ["waits", "batches", "free"] as const;

/** A Redis dialogue, whatever the numbers say. */
export function redisDialogue(below: Below): { plan: Plan; truth: Simulation } {
  const [most, serviceUs, thinkUs] = [[1, 30, 3000][below(3)]!, [1, 100, 3000][below(3)]!, [1, 100, 40_000][below(3)]!];
  const exchange = (): Exchange => ({
    request: REQUESTS[below(4)]!,
    reply: REPLIES[below(8)]!,
    requestSize: below(most),
    replySize: below(most),
    serviceUs: below(serviceUs),
    thinkUs: below(thinkUs),
    joins: below(3) > 0,
  });
  const plan: Plan = {
    client: CLIENTS[below(3)]!,
    exchanges: Array.from({ length: 2 + below(12) }, exchange),
    seed: below(0x7fffffff),
    delayUs: [1, 50, 1000][below(3)]!,
    segmentBytes: [20, 200, 1448][below(3)]!,
    isServerCoalescing: below(2) === 0,
    ackPercent: [0, 30, 100][below(3)]!,
    clientInitial: below(2) === 0 ? 1000 : 0xffffffff - below(500),
    serverInitial: below(2) === 0 ? 5000 : 0xffffffff - below(500),
    hasHandshake: true,
  };
  return { plan, truth: simulate(plan) };
}

/** What is known of an exchange, in µs since the epoch. */
export type KnownPair = Pick<TruePair, "startUs" | "endUs">;

/** What was sent and when, and which requests were answered. */
interface Bursts {
  segments: TestSegment[];
  pairs: KnownPair[];
}

/** A memcached dialogue of the text protocol. */
export function memcachedDialogue(below: Below): Bursts {
  return bursts(below, 11_211, (burst, i) => exchanged(below, `k${burst}_${i}`));
}

/** A Kafka dialogue: records of any size, and requests that are not answered. */
export function kafkaDialogue(below: Below): Bursts {
  let id = below(3) === 0 ? 0x7ffffffd : below(100);
  return bursts(below, 9092, () => kafkaExchanged(below, id++ | 0));
}

/** An HTTP dialogue: bodies by length and by chunks, whose text may look like messages. */
export function httpDialogue(below: Below): Bursts {
  return bursts(below, 80, (burst, i) => httpExchanged(below, `/b${burst}/${i}`));
}

/** Bursts of one request or more, answered in order; an empty response is none. */
function bursts(below: Below, port: number, exchange: (burst: number, index: number) => Exchanged): Bursts {
  const dialogue = new Dialogue(undefined, { ...SERVER, port }, below(0x7fffffff) * 2, below(0x7fffffff) * 2);
  const pairs: KnownPair[] = [];
  let at = 0;
  const say = (from: "client" | "server", text: string): { first: number; last: number } => {
    const segmentBytes = [30, 200, 1448][below(3)]!;
    const first = at + 1;
    for (let start = 0; start < text.length; start += segmentBytes) {
      at += 1 + below(300);
      if (start === 0) at = first;
      dialogue[from](at, text.slice(start, start + segmentBytes));
    }
    return { first: BEGIN_US + first, last: BEGIN_US + at };
  };
  dialogue.open(at);
  at = 100;
  for (let n = 0; n < 3 + below(20); n++) {
    at += below(below(2) === 0 ? 50 : 30_000);
    const burst = Array.from({ length: below(3) === 0 ? 1 + below(4) : 1 }, (_, i) => exchange(n, i));
    const asked = burst.map(({ request }) => say("client", request));
    const answered = burst.map(({ response }) => say("server", response));
    for (const [i, { first }] of asked.entries()) {
      if (burst[i]!.response !== "") pairs.push({ startUs: first, endUs: answered[i]!.last });
    }
    if (below(2) === 0) dialogue.ack("client", at + 1);
  }
  return { segments: dialogue.segments, pairs };
}

interface Exchanged {
  readonly request: string;
  readonly response: string;
}

const HTTP_LOOKALIKE = "GET /inner HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function httpExchanged(below: Below, path: string): Exchanged {
  const data = (below(6) === 0 ? HTTP_LOOKALIKE : "d").repeat(1 + below(below(2) === 0 ? 20 : 60));
  const byLength = `Content-Length: ${data.length}\r\n\r\n${data}`;
  const byChunks = `Transfer-Encoding: chunked\r\n\r\n${data.length.toString(16)}\r\n${data}\r\n0\r\n\r\n`;
  const body = below(2) === 0 ? byLength : byChunks;
  switch (below(4)) {
    case 0:
      return { request: `POST ${path} HTTP/1.1\r\n${body}`, response: "HTTP/1.1 204 No Content\r\n\r\n" };
    case 1:
      return { request: `HEAD ${path} HTTP/1.1\r\n\r\n`, response: "HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n" };
    default:
      return { request: `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`, response: `HTTP/1.1 200 OK\r\n${body}` };
  }
}

function kafkaExchanged(below: Below, id: number): Exchanged {
  const records = "r".repeat(below(below(2) === 0 ? 20 : 4000));
  switch (below(4)) {
    case 0:
      return { request: heartbeat(id), response: heartbeatResponse(id, below(2)) };
    case 1:
      return { request: fetch(id, below(1000)), response: fetchResponse(id, records) };
    case 2:
      return { request: produce(id, 0, records), response: "" };
    default:
      return { request: produce(id, 1, records), response: produceResponse(id) };
  }
}

function exchanged(below: Below, key: string): Exchanged {
  const data = "d".repeat(below(below(2) === 0 ? 20 : 4000));
  switch (below(4)) {
    case 0:
      return { request: `set ${key} 0 0 ${data.length}\r\n${data}\r\n`, response: "STORED\r\n" };
    case 1:
      return { request: `mg ${key} v\r\n`, response: `VA ${data.length}\r\n${data}\r\n` };
    case 2:
      return { request: `incr ${key} 1\r\n`, response: `${below(1000)}\r\n` };
    default:
      return { request: `get ${key}\r\n`, response: `VALUE ${key} 0 ${data.length}\r\n${data}\r\nEND\r\n` };
  }
}

/** Questions and answers in datagrams, from few ports, and over a TCP connection. */
export function dnsDialogue(below: Below): TestSegment[] {
  const server = { ...SERVER, port: 53 };
  const tcp = new Dialogue(undefined, server);
  tcp.open(0);
  const datagrams: TestSegment[] = [];
  let at = 100;
  for (let n = 0; n < 3 + below(20); n++) {
    at += 1 + below(below(2) === 0 ? 50 : 30_000);
    const [id, name, type] = [below(4), `n${below(6)}.example`, [1, 28, 252, 255][below(4)]!];
    const asked = question(id, name, type);
    const answered = answer(id, name, type, below(4));
    const answeredAt = at + 1 + below(3000);
    if (below(2) === 0) {
      const client = { ...CLIENT, port: CLIENT.port + below(3) };
      datagrams.push(datagram(at, client, server, asked, n), datagram(answeredAt, server, client, answered, n));
    } else {
      tcp.client(at, framed(asked).toString("latin1"));
      tcp.server(answeredAt, framed(answered).toString("latin1"));
    }
  }
  return [...tcp.segments, ...datagrams].sort((a, b) => a.timeUs - b.timeUs);
}

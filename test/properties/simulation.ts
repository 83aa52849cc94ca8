import { TcpFlag } from "../../src/decode/segment.ts";
import { BEGIN_US, CLIENT, latin1, SERVER, type TestHost, type TestSegment } from "../support/segments.ts";

/**
 * Two ends that talk Redis over a wire with delays, seen by a capture somewhere in between. It knows the truth: which response
 * answers which request, and when the capture saw their bytes.
 */
export interface Plan {
  /** Sends one request and waits; writes some requests and waits for all; sends whenever it likes; or keeps so many under way. */
  readonly client: "waits" | "batches" | "free" | `window${number}`;
  readonly exchanges: readonly Exchange[];
  /** Makes cuts and delays: the same plan gives the same frames. */
  readonly seed: number;
  /** Largest one-way delay of either half of the way, µs. */
  readonly delayUs: number;
  /** Largest segment. */
  readonly segmentBytes: number;
  /** The server writes the replies to all requests that it has read at once (as Redis does), or each by itself. */
  readonly isServerCoalescing: boolean;
  /** How often, of 100, data is acknowledged by a segment of its own. */
  readonly ackPercent: number;
  /** Where the sequence numbers begin. */
  readonly clientInitial: number;
  readonly serverInitial: number;
  readonly hasHandshake: boolean;
}

export interface Exchange {
  readonly request: "get" | "set" | "inline" | "setHostile";
  readonly reply: "status" | "error" | "integer" | "bulk" | "nil" | "array" | "hostile" | "double";
  readonly requestSize: number;
  readonly replySize: number;
  readonly serviceUs: number;
  /** Before this request: since the last reply (waits, batches) or the last request (free). */
  readonly thinkUs: number;
  /** Written together with the request before it (batches). */
  readonly joins: boolean;
}

export interface TruePair {
  readonly index: number;
  readonly key: string;
  readonly isError: boolean;
  /** Bytes [from, to) of either stream. */
  readonly requestFrom: number;
  readonly requestTo: number;
  readonly responseFrom: number;
  readonly responseTo: number;
  startUs: number;
  requestEndUs: number;
  responseStartUs: number;
  endUs: number;
}

export interface Simulation {
  /** In the order of their times. */
  readonly frames: TestSegment[];
  readonly pairs: readonly TruePair[];
}

const HOSTILE_REQUEST = "*2\r\n$3\r\nGET\r\n$2\r\nkx\r\n";
const HOSTILE_REPLY = "+OK\r\n:1\r\n$2\r\nhi\r\n";

function requestText(exchange: Exchange, index: number): string {
  const key = `k${index}`;
  const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
  switch (exchange.request) {
    case "get":
      return `*2\r\n${bulk("GET")}${bulk(key)}`;
    case "inline":
      return `GET ${key}\r\n`;
    case "set":
      return `*3\r\n${bulk("SET")}${bulk(key)}${bulk("v".repeat(exchange.requestSize))}`;
    case "setHostile":
      return `*3\r\n${bulk("SET")}${bulk(key)}${bulk(repeated(HOSTILE_REQUEST, exchange.requestSize))}`;
  }
}

function replyText(exchange: Exchange, index: number): string {
  const unique = `${index}`.padEnd((exchange.replySize % 40) + 3, "x");
  switch (exchange.reply) {
    case "status":
      return `+OK${unique}\r\n`;
    case "error":
      return `-ERR no ${unique}\r\n`;
    case "integer":
      return `:${index}${"0".repeat(exchange.replySize % 8)}\r\n`;
    case "double":
      return `,${index}.5\r\n`;
    case "bulk":
      return `$${exchange.replySize}\r\n${"b".repeat(exchange.replySize)}\r\n`;
    case "hostile": {
      const body = repeated(HOSTILE_REPLY, exchange.replySize);
      return `$${body.length}\r\n${body}\r\n`;
    }
    case "nil":
      return "$-1\r\n";
    case "array":
      return `*${(exchange.replySize % 5) + 1}\r\n${`$${unique.length}\r\n${unique}\r\n`.repeat((exchange.replySize % 5) + 1)}`;
  }
}

function repeated(text: string, atLeast: number): string {
  return text.repeat(Math.ceil((atLeast + 1) / text.length));
}

/** A small generator of numbers (mulberry32): the truth depends on the plan alone. */
export function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Event {
  readonly atUs: number;
  readonly order: number;
  readonly run: () => void;
}

/** One end's TCP: what it has sent and received, in stream offsets. */
class TcpEnd {
  sent = 0;
  received = 0;
  lastCapturedUs = 0;
  lastArrivalUs = 0;
  lastSentUs = 0;
  ipId: number;
  readonly host: TestHost;
  readonly initial: number;
  onData: () => void = () => undefined;

  constructor(host: TestHost, initial: number, ipId: number) {
    this.host = host;
    this.initial = initial;
    this.ipId = ipId;
  }
}

class World {
  readonly frames: TestSegment[] = [];
  readonly next: (below: number) => number;
  readonly #plan: Plan;
  readonly #events: Event[] = [];
  #orders = 0;
  nowUs = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.next = random(plan.seed);
  }

  at(atUs: number, run: () => void): void {
    this.#events.push({ atUs: Math.max(atUs, this.nowUs), order: this.#orders++, run });
  }

  run(): void {
    for (;;) {
      let first = 0;
      const events = this.#events;
      if (events.length === 0) return;
      for (let i = 1; i < events.length; i++) {
        const [a, b] = [events[i]!, events[first]!];
        if (a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order)) first = i;
      }
      const [event] = events.splice(first, 1);
      this.nowUs = event!.atUs;
      event!.run();
    }
  }

  /** Writes bytes: cut into segments, one after the other. */
  write(from: TcpEnd, to: TcpEnd, bytes: Uint8Array): void {
    let start = 0;
    let whenUs = Math.max(this.nowUs, from.lastSentUs);
    while (start < bytes.length) {
      const end = this.#cut(bytes, start);
      const piece = bytes.subarray(start, end);
      this.at(whenUs, () => this.#transmit(from, to, piece));
      from.lastSentUs = whenUs;
      whenUs += this.next(3) === 0 ? this.next(300) : 1;
      start = end;
    }
  }

  /** Anywhere; often in front of what looks like the beginning of a message. */
  #cut(bytes: Uint8Array, start: number): number {
    const most = Math.min(bytes.length, start + this.#plan.segmentBytes);
    if (this.next(2) === 0) return most;
    if (this.next(2) === 0) {
      const from = start + 1 + this.next(Math.max(1, most - start));
      for (let i = from; i < most; i++) if (bytes[i] === 0x2a || bytes[i] === 0x2b || bytes[i] === 0x3a) return i;
    }
    return start + 1 + this.next(most - start);
  }

  #transmit(from: TcpEnd, to: TcpEnd, payload: Uint8Array): void {
    const sequence = from.sent;
    from.sent += payload.length;
    this.#frame(from, to, sequence, TcpFlag.ack | (payload.length > 0 ? TcpFlag.psh : 0), payload, () => {
      to.received = sequence + payload.length;
      if (payload.length === 0) return;
      if (this.next(100) < this.#plan.ackPercent)
        this.at(this.nowUs + this.next(100), () => this.#transmit(to, from, new Uint8Array(0)));
      to.onData();
    });
  }

  #frame(from: TcpEnd, to: TcpEnd, sequence: number, flags: number, payload: Uint8Array, arrived: () => void): void {
    const delay = (): number => 1 + this.next(this.#plan.delayUs);
    const capturedUs = Math.max(this.nowUs + delay(), from.lastCapturedUs + 1);
    const arrivalUs = Math.max(capturedUs + delay(), from.lastArrivalUs);
    from.lastCapturedUs = capturedUs;
    from.lastArrivalUs = arrivalUs;
    this.frames.push({
      timeUs: BEGIN_US + capturedUs,
      from: from.host,
      to: to.host,
      sequence: from.initial + 1 + sequence,
      acknowledgement: to.initial + 1 + from.received,
      flags,
      window: 512,
      payload,
      ipId: from.ipId++ & 0xffff || 1,
    });
    this.at(arrivalUs, arrived);
  }

  handshake(client: TcpEnd, server: TcpEnd): void {
    const base = { window: 512, payload: new Uint8Array(0) };
    const [c, s] = [client.host, server.host];
    const [ci, si] = [client.initial, server.initial];
    const step = (after: number): number => BEGIN_US + after;
    this.frames.push(
      { ...base, timeUs: step(0), from: c, to: s, sequence: ci, acknowledgement: 0, flags: TcpFlag.syn, ipId: 1 },
      {
        ...base,
        timeUs: step(1),
        from: s,
        to: c,
        sequence: si,
        acknowledgement: ci + 1,
        flags: TcpFlag.syn | TcpFlag.ack,
        ipId: 0,
      },
      {
        ...base,
        timeUs: step(2),
        from: c,
        to: s,
        sequence: ci + 1,
        acknowledgement: si + 1,
        flags: TcpFlag.ack,
        ipId: 2,
      },
    );
    this.nowUs = 10;
  }
}

export function simulate(plan: Plan): Simulation {
  const world = new World(plan);
  const client = new TcpEnd(CLIENT, plan.clientInitial, 10);
  const server = new TcpEnd(SERVER, plan.serverInitial, 40_000);
  if (plan.hasHandshake) world.handshake(client, server);
  const requests = plan.exchanges.map((exchange, i) => latin1(requestText(exchange, i)));
  const replies = plan.exchanges.map((exchange, i) => latin1(replyText(exchange, i)));
  const pairs = truePairs(plan, requests, replies);
  serve(world, plan, server, client, pairs, replies);
  talk(world, plan, client, server, pairs, requests);
  world.run();
  const frames = world.frames.sort((a, b) => a.timeUs - b.timeUs);
  noteTimes(plan, frames, pairs);
  return { frames, pairs };
}

function truePairs(plan: Plan, requests: Uint8Array[], replies: Uint8Array[]): TruePair[] {
  let [requestFrom, responseFrom] = [0, 0];
  return plan.exchanges.map((exchange, index) => {
    const requestTo = requestFrom + requests[index]!.length;
    const responseTo = responseFrom + replies[index]!.length;
    const pair = {
      ...{ index, key: `k${index}`, isError: exchange.reply === "error" },
      ...{ requestFrom, requestTo, responseFrom, responseTo },
      ...{ startUs: 0, requestEndUs: 0, responseStartUs: 0, endUs: 0 },
    };
    [requestFrom, responseFrom] = [requestTo, responseTo];
    return pair;
  });
}

function serve(
  world: World,
  plan: Plan,
  server: TcpEnd,
  client: TcpEnd,
  pairs: readonly TruePair[],
  replies: readonly Uint8Array[],
): void {
  let served = 0;
  let isBusy = false;
  const serveSome = (): void => {
    if (isBusy) return;
    let ready = served;
    while (ready < pairs.length && pairs[ready]!.requestTo <= server.received) ready++;
    if (ready === served) return;
    const upTo = plan.isServerCoalescing ? ready : served + 1;
    let workUs = 0;
    for (let i = served; i < upTo; i++) workUs += plan.exchanges[i]!.serviceUs;
    isBusy = true;
    const from = served;
    served = upTo;
    world.at(world.nowUs + workUs, () => {
      world.write(server, client, joined(replies.slice(from, upTo)));
      isBusy = false;
      serveSome();
    });
  };
  server.onData = serveSome;
}

function talk(
  world: World,
  plan: Plan,
  client: TcpEnd,
  server: TcpEnd,
  pairs: readonly TruePair[],
  requests: readonly Uint8Array[],
): void {
  const { exchanges } = plan;
  if (plan.client === "free") {
    let atUs = world.nowUs;
    for (const [i, exchange] of exchanges.entries()) {
      atUs += exchange.thinkUs;
      world.at(atUs, () => world.write(client, server, requests[i]!));
    }
    return;
  }
  let sent = 0;
  if (plan.client.startsWith("window")) {
    const width = Number(plan.client.slice(6));
    const fill = (): void => {
      let got = 0;
      while (got < pairs.length && pairs[got]!.responseTo <= client.received) got++;
      while (sent < pairs.length && sent < got + width) {
        const i = sent++;
        lastUs = Math.max(lastUs, world.nowUs + exchanges[i]!.thinkUs);
        world.at(lastUs, () => world.write(client, server, requests[i]!));
      }
    };
    let lastUs = 0;
    client.onData = fill;
    fill();
    return;
  }
  const sendMore = (): void => {
    if (sent === pairs.length || (sent > 0 && client.received < pairs[sent - 1]!.responseTo)) return;
    const from = sent++;
    if (plan.client === "batches") while (sent < pairs.length && exchanges[sent]!.joins) sent++;
    const bytes = joined(requests.slice(from, sent));
    world.at(world.nowUs + exchanges[from]!.thinkUs, () => world.write(client, server, bytes));
  };
  client.onData = sendMore;
  sendMore();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** When the capture first saw the bytes that a pair begins and ends with, in these frames taken in this order. */
export function noteTimes(plan: Plan, frames: readonly TestSegment[], pairs: readonly TruePair[]): void {
  const requestTimes = byteTimes(frames, CLIENT, plan.clientInitial);
  const responseTimes = byteTimes(frames, SERVER, plan.serverInitial);
  for (const pair of pairs) {
    pair.startUs = requestTimes[pair.requestFrom] ?? Number.NaN;
    pair.requestEndUs = latest(requestTimes, pair.requestFrom, pair.requestTo);
    pair.responseStartUs = responseTimes[pair.responseFrom] ?? Number.NaN;
    pair.endUs = latest(responseTimes, pair.responseFrom, pair.responseTo);
  }
}

function byteTimes(frames: readonly TestSegment[], from: TestHost, initial: number): number[] {
  const times: number[] = [];
  for (const frame of frames) {
    if (frame.from.port !== from.port) continue;
    const offset = (frame.sequence - initial - 1) | 0;
    for (let i = 0; i < frame.payload.length; i++) times[offset + i] ??= frame.timeUs;
  }
  return times;
}

function latest(times: readonly number[], from: number, to: number): number {
  let latestUs = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) latestUs = Math.max(latestUs, times[i] ?? Number.NaN);
  return latestUs;
}

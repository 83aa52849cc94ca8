import { TcpFlag } from "../../src/decode/segment.ts";
import { latin1 } from "../support/segments.ts";
import type { Bound } from "./bound.ts";
import { GET, OK, Talk } from "./talk.ts";
import { endsOf, handshake, NOTHING, type Wire } from "./wire.ts";

const CROWD = 100_000;

/** One request on each of the connections, and all but the last batch answered. */
function* talkOnAll(wire: Wire, connections: number, rounds: number, isLastAnswered: boolean): Generator<void> {
  for (let round = 0; round < rounds; round++) {
    const client = 1 + round * GET.length;
    const server = 1 + round * OK.length;
    for (let n = 0; n < connections; n++) {
      wire.send(endsOf(n), true, client, server, GET);
      yield;
      if (round === rounds - 1 && !isLastAnswered) continue;
      wire.send(endsOf(n), false, server, client + GET.length, OK);
      yield;
    }
  }
}

function* openAll(wire: Wire, connections: number): Generator<void> {
  for (let n = 0; n < connections; n++) yield* handshake(wire, endsOf(n));
}

/** Many connections, servers, and nothing but beginnings. */
export const CROWDS: readonly Bound[] = [
  {
    name: "100,000 connections open at once, each with a request in flight",
    *frames(wire) {
      wire.stepUs = 20;
      yield* openAll(wire, CROWD);
      yield* talkOnAll(wire, CROWD, 3, false);
    },
    expected: { connections: CROWD, evicted: 0, requests: 3 * CROWD, answered: 2 * CROWD, "unanswered.end": CROWD },
  },
  {
    name: "150,000 connections where 100,000 have room",
    *frames(wire) {
      wire.stepUs = 20;
      yield* openAll(wire, 150_000);
      yield* talkOnAll(wire, 150_000, 1, true);
    },
    // Those evicted come back in their middle, and evict the others.
    expected: { connections: 100_000, answered: 150_000, requests: 150_000 },
  },
  {
    name: "1,000,000 SYNs of a port scan within a second",
    *frames(wire) {
      for (let n = 0; n < 1_000_000; n++) {
        wire.send(scanned(n), true, n, 0, NOTHING, { flags: TcpFlag.syn });
        yield;
      }
    },
    expected: { "connections.syn": 1_000_000, connections: 100_000, evicted: 900_000, requests: 0 },
  },
  {
    name: "1,000,000 SYNs, each refused by a reset",
    *frames(wire) {
      for (let n = 0; n < 1_000_000; n++) {
        wire.send(scanned(n), true, n, 0, NOTHING, { flags: TcpFlag.syn });
        yield;
        wire.send(scanned(n), false, 0, n + 1, NOTHING, { flags: TcpFlag.rst | TcpFlag.ack });
        yield;
      }
    },
    expected: { "connections.syn": 1_000_000, connections: 0, evicted: 0, requests: 0 },
  },
  {
    name: "1,000,000 connections that begin in their middle with bytes of no protocol",
    *frames(wire) {
      const noise = latin1("\x00\x01\x02\x03 no protocol at all");
      for (let n = 0; n < 1_000_000; n++) {
        wire.send({ ...endsOf(n), serverPort: 4444 }, true, n, 7, noise);
        yield;
      }
    },
    expected: { "connections.midstream": 1_000_000, connections: 100_000, evicted: 900_000, requests: 0 },
  },
  {
    name: "300,000 connections opened, used and closed, 10,000 a second",
    *frames(wire) {
      wire.stepUs = 14;
      for (let n = 0; n < 300_000; n++) {
        const talk = new Talk(wire, endsOf(n));
        yield* talk.open();
        yield* talk.exchange();
        yield* talk.close();
      }
    },
    expected: { "connections.syn": 300_000, connections: 0, evicted: 0, answered: 300_000, requests: 300_000 },
  },
  crowdThatSpeaks("memcached", 11_211, "get k\r\n", "END\r\n"),
  crowdThatSpeaks("RESP3", 6379, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", "%1\r\n+proto\r\n:3\r\n"),
  {
    name: "100,000 servers",
    *frames(wire) {
      wire.stepUs = 20;
      for (let n = 0; n < CROWD; n++) {
        const talk = new Talk(wire, endsOf(n, 0x0b_00_00_00 + n));
        yield* talk.open();
        yield* talk.exchange();
      }
    },
    expected: { connections: CROWD, requests: CROWD, answered: CROWD, servers: 201, "limited.server": CROWD - 200 },
  },
  {
    name: "100,000 idle connections over ten minutes, a frame a second",
    *frames(wire) {
      yield* openAll(wire, CROWD);
      yield* talkOnAll(wire, CROWD, 1, false);
      wire.stepUs = 1_000_000;
      const talk = new Talk(wire, endsOf(CROWD));
      yield* talk.open();
      for (let second = 0; second < 300; second++) yield* talk.exchange();
    },
    // The connection that speaks found no room.
    expected: {
      requests: CROWD + 300,
      answered: 300,
      "unanswered.timeout": CROWD - 1,
      "unanswered.evicted": 1,
      connections: 1,
    },
    frameUs: 100,
  },
];

/** Connections that keep more than others while they sleep: memcached's dialect, Redis' modes. */
function crowdThatSpeaks(what: string, port: number, request: string, response: string): Bound {
  return {
    name: `100,000 connections of ${what}`,
    *frames(wire) {
      wire.stepUs = 20;
      for (let n = 0; n < CROWD; n++) {
        const talk = new Talk(wire, endsOf(n, undefined, port));
        yield* talk.open();
        yield* talk.exchange(latin1(request), latin1(response));
      }
    },
    expected: { connections: CROWD, evicted: 0, requests: CROWD, answered: CROWD },
  };
}

function scanned(n: number): ReturnType<typeof endsOf> {
  return { client: 0x0a_00_00_01, clientPort: 40_000, server: 0x0b_00_00_00 + (n >>> 10), serverPort: 1 + (n & 1023) };
}

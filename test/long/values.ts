import { latin1 } from "../support/segments.ts";
import type { Bound } from "./bound.ts";
import { GET, OK, Talk } from "./talk.ts";
import { endsOf, NOTHING, type Wire } from "./wire.ts";

const GIB = 2 ** 30;
/** What a network card may hand over as one segment. */
const LARGEST = 65_000;
const END = latin1("\r\n");

/** `bytes` of a body, which nobody looks at: whatever stands in the batch. */
function* body(talk: Talk, fromClient: boolean, bytes: number, snaplen: number): Generator<void> {
  for (let left = bytes; left > 0; left -= LARGEST) {
    const length = Math.min(left, LARGEST);
    const fields = { length, snaplen };
    yield* fromClient ? talk.client(NOTHING, fields) : talk.server(NOTHING, fields);
    yield* talk.acknowledge(!fromClient);
  }
}

/** A value of 4 GiB and a bit, so that sequence numbers come around, in both directions; then an ordinary exchange. */
function* hugeValues(wire: Wire, snaplen: number): Generator<void> {
  const talk = new Talk(wire, endsOf(0));
  yield* talk.open();
  const bytes = 4 * GIB + 12_345;
  yield* talk.client(latin1(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${bytes}\r\n`));
  yield* body(talk, true, bytes, snaplen);
  yield* talk.client(END);
  yield* talk.server(OK);
  yield* talk.client(GET);
  yield* talk.server(latin1(`$${bytes}\r\n`));
  yield* body(talk, false, bytes, snaplen);
  yield* talk.server(END);
  for (let n = 0; n < 10; n++) yield* talk.exchange();
}

/** The same words on many connections, each of which then sends 100 more bytes. */
function announcing(name: string, client: string, server: string, expected: Bound["expected"], port = 6379): Bound {
  return {
    name: `10,000 connections that announce ${name}`,
    *frames(wire) {
      const [asked, said] = [latin1(client), latin1(server)];
      for (let n = 0; n < 10_000; n++) {
        const talk = new Talk(wire, endsOf(n, undefined, port));
        yield* talk.open();
        if (asked.length > 0) yield* talk.client(asked);
        if (said.length > 0) yield* talk.server(said);
        yield* talk.client(NOTHING, { length: 100 });
      }
    },
    expected,
  };
}

/** A line that never ends, in segments of 64,000 bytes. */
function endless(name: string, fromClient: boolean, first: string, port = 6379): Bound {
  return {
    name: `256 MiB without a line's end: ${name}`,
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0, undefined, port));
      yield* talk.open();
      if (!fromClient) yield* talk.client(port === 6379 ? GET : latin1("get k\r\n"));
      const piece = new Uint8Array(64_000).fill(0x78);
      const say = (bytes: Uint8Array): Generator<void> => (fromClient ? talk.client(bytes) : talk.server(bytes));
      yield* say(latin1(first));
      for (let sent = 0; sent < GIB / 4; sent += piece.length) yield* say(piece);
    },
    frameUs: 2000,
    expected: { connections: 1 },
  };
}

/** Sizes that are announced, and sizes that come. */
export const VALUES: readonly Bound[] = [
  {
    name: "values of 4 GiB both ways, 96 bytes of each frame captured",
    *frames(wire) {
      yield* hugeValues(wire, 42);
    },
    expected: { requests: 12, answered: 12, gaps: 0, duplicates: 0 },
  },
  {
    name: "values of 4 GiB both ways, whole",
    *frames(wire) {
      yield* hugeValues(wire, LARGEST);
    },
    frameUs: 100,
    expected: { requests: 12, answered: 12, gaps: 0, duplicates: 0 },
  },
  announcing("*2000000000", "*2000000000\r\n$3\r\nGET\r\n", "*2000000000\r\n$3\r\nfoo\r\n", { connections: 10_000 }),
  announcing("$536870912", "*2\r\n$3\r\nGET\r\n$536870912\r\n", "$536870912\r\n", { connections: 10_000 }),
  announcing("$9999999999999", "*2\r\n$9999999999999\r\n", "$9999999999999\r\n", { connections: 10_000 }),
  announcing(
    "a memcached value of 2 GiB",
    "set k 0 0 2147483640\r\n",
    "VALUE k 0 4294967295\r\n",
    { connections: 10_000 },
    11_211,
  ),
  announcing(
    "a binary memcached body of 4 GiB",
    "\x80\x01\0\x01\x08\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0",
    "\x81\x00\0\0\x04\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0",
    { connections: 10_000 },
    11_211,
  ),
  {
    name: "replies nested 10,000,000 deep: arrays, then streamed arrays, then attributes",
    *frames(wire) {
      for (const [n, piece] of ["*1\r\n", "*?\r\n", "|1\r\n", "%1\r\n", ">2\r\n", "~1\r\n"].entries()) {
        const talk = new Talk(wire, endsOf(n));
        yield* talk.open();
        yield* talk.client(GET);
        const nest = latin1(piece.repeat(10_000));
        for (let depth = 0; depth < 10_000_000; depth += 10_000) yield* talk.server(nest);
      }
    },
    frameUs: 3000,
    expected: { connections: 6 },
  },
  endless("an inline command", true, "GET "),
  endless("a status", false, "+"),
  endless("an error", false, "-ERR "),
  endless("a number", false, ":1"),
  endless("a memcached command", true, "get ", 11_211),
  endless("a memcached response", false, "VALUE ", 11_211),
];

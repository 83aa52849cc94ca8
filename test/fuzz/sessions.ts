import { isDeepStrictEqual } from "node:util";
import type { Exchange, Protocol, Session } from "../../src/protocols/protocol.ts";
import { PROTOCOLS } from "../../src/protocols/registry.ts";
import { random } from "../properties/simulation.ts";
import { answer, framed, question } from "../support/dns.ts";
import {
  fetch,
  fetchResponse,
  heartbeat,
  heartbeatResponse,
  produce,
  produceResponse,
} from "../support/kafka-frames.ts";
import { latin1 } from "../support/segments.ts";
import { play, type Step } from "../support/transcript.ts";
import type { Below } from "./records.ts";

const COMMON = [
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  " ",
  "0",
  "1",
  "2",
  "-1",
  "10",
  "65536",
  "4294967296",
  "99999999999999999999",
  "\0",
  "\xff",
];
/** What each protocol's parsers look for; another protocol is fed with everybody's. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  redis: [
    ..."* $ + - : _ # , ( = ! % ~ > | ; . ? *1\r\n *2\r\n *3\r\n *?\r\n $?\r\n ;0\r\n .\r\n $3\r\nGET\r\n $1\r\nk\r\n $-1\r\n *0\r\n *-1\r\n".split(
      " ",
    ),
    ..."GET SET PING MULTI EXEC DISCARD SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE HELLO 3 AUTH RESET MONITOR PSYNC SYNC QUIT".split(
      " ",
    ),
    ..."CLIENT REPLY OFF ON SKIP BLPOP XREAD STREAMS BLOCK EVAL CONFIG MIGRATE KEYS ACL SETUSER REPLCONF ACK".split(
      " ",
    ),
    ..."*1\r\n$5\r\nMULTI\r\n|*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n|*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n|*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n".split(
      "|",
    ),
    ..."+OK\r\n|+QUEUED\r\n|-ERR no\r\n|:1\r\n|$2\r\nhi\r\n|*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n|>2\r\n$10\r\ninvalidate\r\n*0\r\n|+FULLRESYNC x 0\r\n|$EOF:".split(
      "|",
    ),
  ],
  dns: [
    ..."\0\x1d \0\x0c \0\x40 \x12\x34 \x01\0 \x81\x80 \x83\x80 \0\x01 \0\0 \xff\xff \x03www \x07example \x03com \xc0\x0c \xc0\x10 \xff\xff \x3f".split(
      " ",
    ),
    ...[
      "\0\x01\0\0\0\0\0\0",
      "\0\x01\0\x01\0\0\0\x01",
      "\0\0\x01\0\x01",
      "\0\0\x1c\0\x01",
      "\0\0)\x04\xd0\x01\0\0\0\0\0",
      "\0\0\xfc\0\x01",
    ],
    ...[
      question(1, "a.example"),
      answer(1, "a.example"),
      question(1, "b.example", 252),
      answer(1, "b.example", 252),
    ].flatMap((message) => [message, framed(message)].map((bytes) => bytes.toString("latin1"))),
  ],
  http: [
    ..."GET POST HEAD CONNECT / HTTP/1.1 HTTP/1.0 200 101 204 404 100 Content-Length: Transfer-Encoding: chunked Upgrade: Content-Type: text/event-stream , ; / : @ ? & =".split(
      " ",
    ),
    ..."GET /a HTTP/1.1\r\n|POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n|HEAD http://u:p@h/x?y HTTP/1.0\r\n\r\n|CONNECT h:1 HTTP/1.1\r\n\r\n".split(
      "|",
    ),
    ..."HTTP/1.1 200 OK\r\n|HTTP/1.1 204 No\r\n\r\n|HTTP/1.1 101 S\r\n\r\n|HTTP/1.1 100 C\r\n\r\n|HTTP/1.1 413 L\r\nContent-Length: 0\r\n\r\n".split(
      "|",
    ),
    ..."Content-Length: 3\r\n|Transfer-Encoding: chunked\r\n|Upgrade: x\r\n|Content-Type: text/event-stream\r\n|5\r\nhello\r\n|0\r\n\r\n|\r\n\r\n".split(
      "|",
    ),
  ],
  memcached: [
    ..."\0\x01 \0\0 \0\x01\0\0 \0\x02\0\0 \0\x01\0\0\0\x01\0\0 \0\x01\0\0\0\x02\0\0 \0\x01\0\x01\0\x02\0\0".split(" "),
    ..."get gets gat set add append cas incr delete touch mg ms md ma me mn stats watch lru_crawler metadump version quit".split(
      " ",
    ),
    ..."VALUE END STORED STAT HD VA EN NF NS MN ERROR CLIENT_ERROR SERVER_ERROR OK noreply k q v O1 kfoo foo b".split(
      " ",
    ),
    ..."get k\r\n|VALUE k 0 2\r\nhi\r\nEND\r\n|set k 0 0 1\r\nx\r\n|STORED\r\n|mg k v q O1\r\n|VA 1 O1\r\nx\r\n|mn\r\n|MN\r\n".split(
      "|",
    ),
    ...["\x80\x00\0\x01\0\0\0\0\0\0\0\x01", "\x81\x00\0\0\0\0\0\0\0\0\0\0", "\0\0\0\x07\0\0\0\0\0\0\0\0", "\x80\x0a"],
  ],
  kafka: [
    ..."\0\0\0\x12\0\x03\0\x01\0\0\0\x01\0\x04kcat\xff\xff\xff\xff|\0\0\0\x06\0\0\0\x01\0\0|\0\0\0\x0a\0\0\0\x02\0\0\0\0\0\x05|\xff\xff\xff\xff|\x7f\xff\xff\xff|\0\0\0\x7f|\0\x01".split(
      "|",
    ),
    ...[heartbeat(1), heartbeat(2), produce(1, 0, "r"), produce(2, 1, "rrrr"), fetch(3, 10), fetch(4, 10)],
    ...[heartbeatResponse(1), heartbeatResponse(2, 3), produceResponse(1), produceResponse(2, 6), fetchResponse(3, "")],
    ...["\0\0\0\x11\0\x11\0\0\0\0\0\x05\0\0\0\x05PLAIN", "\0\0\0\x06\0\0\0\x05\0\0", "\0\0\0\x04\0a\0b"],
    ...["\0\0\0\x14\0\x12\0\x03\0\0\0\x09\0\x01c\0\x02k\x02v\0", "\0\0\0\x0b\0\0\0\x09\0#\0\0\0\0"],
    ...["\0", "\0\0", "\0\0\0", "\0\0\0\x01", "\x80\x80", "\xff"],
  ],
};

function soup(protocol: Protocol, below: Below): Uint8Array {
  const own = WORDS[protocol.name] ?? Object.values(WORDS).flat();
  const parts: string[] = [];
  for (let left = below(12); left >= 0; left--) {
    if (below(12) === 0) parts.push(String.fromCharCode(...Array.from({ length: below(30) }, () => below(256))));
    else
      parts.push(
        below(3) === 0 ? COMMON[below(COMMON.length)]! : own[below(own.length)]!,
        below(3) === 0 ? "\r\n" : "",
      );
  }
  return latin1(parts.join(below(4) === 0 ? " " : ""));
}

function step(protocol: Protocol, below: Below): Step {
  const direction = below(2) === 0 ? "client" : "server";
  const nothing = { direction, bytes: new Uint8Array(0), missing: 0, isResync: false } as const;
  switch (below(12)) {
    case 0:
      return { ...nothing, missing: 1 + below(below(2) === 0 ? 20 : 0x7fffffff) };
    case 1:
      return { ...nothing, isResync: true };
    default:
      return { ...nothing, bytes: soup(protocol, below) };
  }
}

/** Raw datagrams into a session, each as it is and cut off: the recording exchange throws where the contract is broken. */
export function datagramCase(seed: number): string[] {
  const below = random(seed);
  const spoken = PROTOCOLS.filter((protocol) => protocol.datagrams !== undefined);
  const protocol = spoken[below(spoken.length)]!;
  const steps = Array.from({ length: 1 + below(20) }, (): Step => {
    const missing = below(4) === 0 ? below(2000) : 0;
    const bytes = soup(protocol, below);
    return { direction: below(2) === 0 ? "client" : "server", bytes, missing, isResync: false, isDatagram: true };
  });
  for (const { bytes } of steps) {
    // Whatever it is taken for, it is told without a throw.
    protocol.datagrams!.recogniseRequest(bytes, 0, bytes.length);
    protocol.datagrams!.recogniseResponse(bytes, 0, bytes.length);
  }
  play(protocol, steps, { text: below(4) > 0, values: below(4) === 0 });
  return [];
}

/** The same protocol on a connection that falls asleep before each step (src/transactions/awake.ts). */
function drowsy(protocol: Protocol): Protocol {
  return {
    ...protocol,
    createSession: (exchange: Exchange): Session => {
      let session = protocol.createSession(exchange);
      const awake = (): Session => {
        const standing = session.standing ?? -1;
        if (standing < 0) session.rest?.();
        else {
          session = protocol.createSession(exchange);
          session.resume?.(standing);
        }
        return session;
      };
      return {
        get requests() {
          return awake().requests;
        },
        get responses() {
          return awake().responses;
        },
      };
    },
  };
}

/** Raw bytes, holes and new beginnings into a session. The recording exchange throws where it breaks the contract. */
export function sessionCase(seed: number): string[] {
  const below = random(seed);
  const protocol = PROTOCOLS[below(PROTOCOLS.length)]!;
  const steps = Array.from({ length: 1 + below(20) }, () => step(protocol, below));
  const wants = { text: below(4) > 0, values: below(4) === 0, details: below(2) === 0 };
  const events = play(protocol, steps, wants);
  const rested = play(drowsy(protocol), steps, wants);
  if (isDeepStrictEqual(events, rested)) return [];
  const at = events.findIndex((event, i) => !isDeepStrictEqual(event, rested[i]));
  return [
    `${protocol.name}: with rests event ${at} is ${JSON.stringify(rested[at])}, not ${JSON.stringify(events[at])}`,
  ];
}

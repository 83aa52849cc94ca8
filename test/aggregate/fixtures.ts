import type { Aggregate } from "../../src/aggregate/aggregate.ts";
import type { StageCounters } from "../../src/aggregate/snapshot.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";
import { NO_ERROR, Recognition, TransactionClass } from "../../src/protocols/protocol.ts";
import type { ServerRef, Transaction } from "../../src/transactions/transaction.ts";

/** A protocol as the right-hand stages see one: its tables. Nothing here parses. */
export const KV: Protocol = {
  name: "redis",
  ports: [6379],
  commands: ["other", "GET", "SET", "BLPOP", "PING"],
  errors: ["other", "ERR", "WRONGTYPE"],
  recogniseRequest: () => Recognition.no,
  recogniseResponse: () => Recognition.no,
  createSession: () => {
    throw new Error("this protocol has only tables");
  },
};
export const CACHE: Protocol = { ...KV, name: "memcached", commands: ["other", "get"], errors: ["other", "ERROR"] };
export const GET = 1;
export const SET = 2;
export const BLPOP = 3;

export const SERVER: ServerRef = { id: 1, text: "192.168.0.2:6379" };
/** 2020-03-08 19:23:06.257659 UTC, in µs. */
export const START_US = Date.UTC(2020, 2, 8, 19, 23, 6) * 1000 + 257_659;

/** One transaction, with changes; `words` replaces the text, `key` says which part of it is the key. */
export function transaction(
  changes: Partial<Transaction> & { readonly words?: string | Uint8Array; readonly key?: string } = {},
): Transaction {
  const { words = "set foo", key = typeof words === "string" ? words.split(" ")[1] : undefined, ...rest } = changes;
  const text = Buffer.from(words as string, "latin1");
  const keyStart = key === undefined ? 0 : text.indexOf(key, 0, "latin1");
  const latencyUs = rest.latencyUs ?? 1102;
  const isAnswered = (rest.unanswered ?? "") === "";
  return {
    protocol: KV,
    connectionId: 17,
    requestNumber: 204,
    client: { text: "192.168.0.1:51137" },
    serverEndpoint: { text: "192.168.0.2:6379" },
    server: SERVER,
    side: "client",
    class: TransactionClass.normal,
    commandId: SET,
    errorId: NO_ERROR,
    flags: 0,
    unanswered: "",
    startUs: START_US,
    endUs: isAnswered ? START_US + latencyUs : Number.NaN,
    latencyUs: isAnswered ? latencyUs : Number.NaN,
    sendUs: isAnswered ? 0 : Number.NaN,
    waitUs: isAnswered ? latencyUs : Number.NaN,
    receiveUs: isAnswered ? 0 : Number.NaN,
    queueUs: isAnswered ? 0 : Number.NaN,
    waitedUs: 0,
    requestBytes: 31,
    responseBytes: isAnswered ? 5 : 0,
    retransmissions: 0,
    resends: 0,
    resentRequestUs: 0,
    resentResponseUs: 0,
    behind: null,
    details: null,
    zeroWindowUs: 0,
    rttUs: null,
    toServerUs: -1,
    requestSequence: 4_000_000_001,
    responseSequence: isAnswered ? 5001 : null,
    text,
    textStart: 0,
    textEnd: text.length,
    keyStart,
    keyEnd: key === undefined ? 0 : keyStart + key.length,
    ...rest,
  };
}

/** Tells a finished transaction to whoever counts for its server. */
export function tell(aggregate: Aggregate, of: Transaction): void {
  const service = aggregate.service(of.server, of.protocol);
  if (of.unanswered === "") service.answered(of);
  else service.unanswered(of);
}

/** Counters of a live capture of 10 frames, of which 7 were decoded. */
export function stages(changes: Partial<StageCounters> = {}): StageCounters {
  return {
    capture: {
      interface: "eth0",
      isUp: true,
      frames: 10,
      decoded: 7,
      skipped: { arp: 2, fragment: 1 },
      dropped: { kernel: 4, interface: 5, engine: 6 },
      duplicates: 1,
      truncated: 2,
      lagUs: 4500,
      clockRegressions: 3,
      batches: { count: 2, framesMax: 6 },
    },
    connections: { now: 2, total: { syn: 3, midstream: 4, udp: 0 }, evicted: 1, notAnalysed: { tls: 1 } },
    sampling: { ratio: 1, segmentsOutside: 0 },
    tcp: [{ server: SERVER, retransmittedSegments: 1, outOfOrderSegments: 2, gaps: 3, gapBytes: 4000, zeroWindows: 5 }],
    serversLimited: 0,
    pendingRequests: null,
    recordsDropped: { stdout: 0 },
    filtered: 0,
    ...changes,
  };
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileOf } from "../diff/two-hosts.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { resp } from "../support/raw-client.ts";
import { BEGIN_US, Dialogue, ETHERNET, frameOf, type TestSegment } from "../support/segments.ts";
import { type JsonRecord, runTcplat } from "../support/tcplat.ts";

/** A frame, with TCP options. */
type Sent = TestSegment | { readonly segment: TestSegment; readonly tcpOptions: Uint8Array };

/** The round trip of all these connections, in µs. */
const RTT = 1000;
const GET = resp("GET", "k");
const VALUE = "$1\r\nx\r\n";

function captureOf(frames: readonly Sent[]): Buffer {
  const sorted = frames
    .map((sent) => ("segment" in sent ? sent : { segment: sent, tcpOptions: ETHERNET.tcpOptions }))
    .toSorted((a, b) => a.segment.timeUs - b.segment.timeUs);
  return pcapFile(
    sorted.map(({ segment, tcpOptions }) => ({
      seconds: Math.floor(segment.timeUs / 1e6),
      nanoseconds: (segment.timeUs % 1e6) * 1000,
      bytes: frameOf(segment, { ...ETHERNET, tcpOptions }),
    })),
  );
}

/** A connection that has shaken hands in one round trip and exchanged a few quick requests until 20 ms. */
function warm(): { readonly d: Dialogue; readonly frames: Sent[] } {
  const d = new Dialogue();
  const frames: Sent[] = [d.syn(0), d.synAck(RTT), d.ack("client", RTT + 10)];
  for (let at = 5000; at < 20_000; at += 2000) frames.push(d.client(at, GET), d.server(at + RTT + 100, VALUE));
  return { d, frames };
}

/** "I had this already": SACK, its first block below the acknowledgement (RFC 2883). */
function duplicateSack(of: TestSegment): Uint8Array {
  const options = Buffer.from([1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
  options.writeUInt32BE(of.sequence >>> 0, 4);
  options.writeUInt32BE((of.sequence + of.payload.length) >>> 0, 8);
  return options;
}

/** The same bytes in a new packet. */
function again(of: TestSegment, at: number, by: Partial<TestSegment> = {}): TestSegment {
  return { ...of, timeUs: BEGIN_US + at, ipId: of.ipId + 1, ...by };
}

const VALUE_OF_9000 = `$9000\r\n${"x".repeat(9000)}\r\n`;

interface Case {
  readonly name: string;
  readonly side: "client" | "server";
  /** What comes behind the quick requests, from 100 ms on. */
  readonly make: (d: Dialogue) => readonly Sent[];
  /** Of the last record. */
  readonly cause: string;
  readonly retransmitUs: number;
  readonly resent: JsonRecord["retransmission"];
}

const request = (by: "timeout" | "fast", times = 1) => ({ direction: "request", by, times }) as const;
const response = (by: "timeout" | "fast", times = 1) => ({ direction: "response", by, times }) as const;

const CASES: readonly Case[] = [
  {
    name: "a request sent again and answered a round trip later was lost",
    side: "client",
    make: (d) => {
      const lost = d.client(100_000, GET);
      return [lost, again(lost, 310_000), d.server(311_100, VALUE)];
    },
    cause: "retransmission",
    retransmitUs: 210_000,
    resent: request("timeout"),
  },
  {
    name: "sent again, and the server says that it had it: the server is slow",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const segment = d.ack("server", 311_000);
      return [asked, again(asked, 310_000), { segment, tcpOptions: duplicateSack(asked) }, d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "sent twice again, of which the server had the second: the first was lost",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const segment = d.ack("server", 731_000);
      const copies = [again(asked, 310_000), again(asked, 730_000)];
      return [asked, ...copies, { segment, tcpOptions: duplicateSack(asked) }, d.server(732_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 210_000,
    resent: request("timeout", 2),
  },
  {
    name: "sent again after it was acknowledged: the server is slow",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, d.ack("server", 101_000), again(asked, 310_000), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "a probe that the response crossed: it answers the first copy",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 150_000), d.server(150_100, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "acknowledged sooner than the copy can have been there: the first one was, and the server is slow",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 310_000), d.ack("server", 310_100), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "an earlier one likewise: that the server says so later is not said of the next, which was lost",
    side: "client",
    make: (d) => {
      const first = d.client(100_000, GET);
      const ack = d.ack("server", 150_100);
      const lost = d.client(150_200, GET);
      const had = {
        segment: d.ack("server", 361_000, { acknowledgement: ack.acknowledgement }),
        tcpOptions: duplicateSack(first),
      };
      const answers = [d.server(361_300, VALUE), d.server(361_350, VALUE)];
      return [first, again(first, 150_000), ack, lost, again(lost, 360_200, { ipId: lost.ipId + 2 }), had, ...answers];
    },
    cause: "retransmission",
    retransmitUs: 210_000,
    resent: request("timeout"),
  },
  {
    name: "acknowledged a round trip after the copy: the first one was lost, and the server is slow",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 310_000), d.ack("server", 311_000), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 210_000,
    resent: request("timeout"),
  },
  {
    name: "sent twice again, and acknowledged just after the second: the first was lost",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const copies = [again(asked, 310_000), again(asked, 310_900, { ipId: asked.ipId + 2 })];
      return [asked, ...copies, d.ack("server", 311_010), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 210_000,
    resent: request("timeout", 2),
  },
  {
    name: "a request that the server's own host saw twice, and had acknowledged, had arrived",
    side: "server",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, d.ack("server", 140_000), again(asked, 310_000), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "so had one that came again before its acknowledgement was due",
    side: "server",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 130_000), d.ack("server", 130_010), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "one that the server's own host saw three times and acknowledged only then had been dropped there, by its firewall",
    side: "server",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 310_000), again(asked, 730_000), d.server(730_100, VALUE)];
    },
    cause: "retransmission",
    retransmitUs: 630_000,
    resent: request("timeout", 2),
  },
  {
    name: "dropped there, and the server slow besides: each has its share",
    side: "server",
    make: (d) => {
      const asked = d.client(100_000, GET);
      return [asked, again(asked, 310_000), d.ack("server", 350_000), d.server(600_000, VALUE)];
    },
    cause: "server",
    retransmitUs: 210_000,
    resent: request("timeout"),
  },
  {
    name: "what was pipelined behind a request that the server's host dropped waited for that",
    side: "server",
    make: (d) => {
      const [first, last] = [d.client(100_000, GET), d.client(100_050, GET)];
      return [first, last, again(first, 310_000), d.server(310_100, VALUE), d.server(310_110, VALUE)];
    },
    cause: "retransmission",
    retransmitUs: 209_950,
    resent: request("timeout", 0),
  },
  {
    name: "the last segment of a long request that the server's host dropped",
    side: "server",
    make: (d) => {
      const whole = resp("SET", "k", "x".repeat(2000));
      const parts = [0, 1400].map((from, i) => d.client(100_000 + i, whole.slice(from, from + 1400)));
      const late = again(parts[1]!, 310_000);
      return [
        ...parts,
        d.ack("server", 140_000, { acknowledgement: parts[1]!.sequence }),
        late,
        d.server(310_100, "+OK\r\n"),
      ];
    },
    cause: "retransmission",
    retransmitUs: 209_999,
    resent: request("timeout"),
  },
  {
    name: "an acknowledgement stands behind a response that nobody saw: that was lost, and sent again",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const lost = d.server(101_100, VALUE, { ipId: 9 });
      const seen = d.ack("server", 110_000);
      return [asked, seen, again(lost, 311_000)];
    },
    cause: "retransmission",
    retransmitUs: 201_000,
    resent: response("timeout"),
  },
  {
    name: "the server had the request when it was sent again, and stands behind a response that nobody saw: that was lost before",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const lost = d.server(101_100, VALUE);
      const segment = d.ack("server", 311_000);
      const had = { segment, tcpOptions: duplicateSack(asked) };
      return [asked, again(asked, 310_000), had, again(lost, 315_000, { ipId: segment.ipId + 1 })];
    },
    cause: "retransmission",
    retransmitUs: 204_000,
    resent: response("timeout", 2),
  },
  {
    name: "both were lost twice: each moment counts once",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const lost = d.server(101_100, VALUE);
      const had = [311_000, 731_000].map((at) => ({ segment: d.ack("server", at), tcpOptions: duplicateSack(asked) }));
      const copies = [310_000, 730_000].map((at) => again(asked, at));
      return [asked, ...copies, ...had, again(lost, 735_000, { ipId: had[1]!.segment.ipId + 2 })];
    },
    cause: "retransmission",
    retransmitUs: 200_000 + 735_000 - 311_000,
    resent: response("timeout", 4),
  },
  {
    name: "a packet is missing before the response, after a time-out: a copy of it",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const lost = d.server(101_100, VALUE);
      return [asked, again(lost, 306_100)];
    },
    cause: "retransmission",
    retransmitUs: 201_000,
    resent: response("timeout"),
  },
  {
    name: "a packet is missing before a slow response, and the client did without it: its acknowledgement, which was not captured",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      d.ack("server", 140_000);
      return [asked, d.server(506_100, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "the same, and the client sent again: the acknowledgement came with the response, and both were lost",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const lost = d.server(101_100, VALUE);
      return [asked, again(asked, 305_000), again(lost, 506_100)];
    },
    cause: "retransmission",
    retransmitUs: 405_100,
    resent: request("timeout", 2),
  },
  {
    name: "the acknowledgement was seen, and a packet is missing before the response: a copy of it",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const seen = d.ack("server", 140_000);
      const lost = d.server(150_000, VALUE);
      return [asked, seen, again(lost, 450_000)];
    },
    cause: "retransmission",
    retransmitUs: 201_000,
    resent: response("timeout"),
  },
  {
    name: "where packets have random numbers none is missing: the server is slow, as far as anybody can know",
    side: "client",
    make: (d) => [d.client(100_000, GET), d.server(306_100, VALUE, { ipId: 45_678 })],
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "a response whose end was lost stood still",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const start = d.server(101_100, VALUE_OF_9000.slice(0, 1400));
      const end = d.server(101_110, VALUE_OF_9000.slice(1400));
      return [asked, start, again(end, 121_100)];
    },
    cause: "retransmission",
    retransmitUs: 20_000,
    resent: response("timeout"),
  },
  {
    name: "a hole that took another way (a lower number) was not sent again",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const start = d.server(101_100, VALUE_OF_9000.slice(0, 1400));
      const middle = d.server(121_000, VALUE_OF_9000.slice(1400, 2800));
      return [asked, start, middle, d.server(101_110, VALUE_OF_9000.slice(2800))];
    },
    cause: "receive",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "a request in four segments of which two were lost stood still once",
    side: "server",
    make: (d) => {
      const whole = resp("SET", "k", "x".repeat(5000));
      const parts = [0, 1400, 2800, 4200].map((from, i) => d.client(100_000 + i, whole.slice(from, from + 1400)));
      const late = [again(parts[1]!, 120_000, { ipId: 2000 }), again(parts[2]!, 130_000, { ipId: 2001 })];
      return [parts[0]!, parts[3]!, ...late, d.server(130_100, "+OK\r\n")];
    },
    cause: "retransmission",
    retransmitUs: 129_997 - 100_000,
    resent: request("timeout", 2),
  },
  {
    name: "a response of which two segments were lost, as its reader said: the second copy was asked for, too, no timer ran out",
    side: "client",
    make: (d) => {
      const asked = d.client(100_000, GET);
      const ends = [1400, 2800, 4200, 9009];
      const parts = ends.map((to, i) => d.server(101_100 + i, VALUE_OF_9000.slice(ends[i - 1] ?? 0, to)));
      const ack = (at: number, behind: TestSegment) => d.ack("client", at, { acknowledgement: behind.sequence });
      const acks = [ack(101_102, parts[1]!), ack(101_110, parts[1]!), ack(121_010, parts[2]!)];
      const [first, second] = [1, 2].map((n) => ({ ipId: parts[3]!.ipId + n }));
      const late = [again(parts[1]!, 121_000, first), again(parts[2]!, 121_500, second)];
      return [asked, parts[0]!, parts[3]!, ...acks, ...late];
    },
    cause: "retransmission",
    retransmitUs: 121_500 - 101_103,
    resent: response("fast", 2),
  },
  {
    name: "a request of which two segments were lost on the way: the same",
    side: "client",
    make: (d) => {
      const whole = resp("SET", "k", "x".repeat(5000));
      const parts = [0, 1400, 2800, 4200].map((from, i) => d.client(100_000 + i, whole.slice(from, from + 1400)));
      const ack = (at: number, behind: TestSegment) => d.ack("server", at, { acknowledgement: behind.sequence });
      const acks = [ack(101_000, parts[1]!), ack(101_010, parts[1]!), ack(102_100, parts[2]!)];
      return [...parts, ...acks, again(parts[1]!, 101_100), again(parts[2]!, 102_150), d.server(103_250, "+OK\r\n")];
    },
    cause: "retransmission",
    retransmitUs: 102_150 - 100_003,
    resent: request("fast", 2),
  },
  {
    name: "of a pipeline all wait for the segment that was lost",
    side: "client",
    make: (d) => {
      const [first, last] = [d.client(100_000, GET), d.client(100_050, GET)];
      return [first, last, again(first, 310_000), d.server(311_100, VALUE), d.server(311_110, VALUE)];
    },
    cause: "retransmission",
    retransmitUs: 209_950,
    resent: request("timeout", 0),
  },
  {
    name: "what was pipelined behind a lost request lay at the server, unread, until that came",
    side: "server",
    make: (d) => {
      const [lost, behind] = [d.client(100_000, GET), d.client(100_050, GET)];
      return [behind, again(lost, 310_000, { ipId: 2000 }), d.server(310_100, VALUE), d.server(310_110, VALUE)];
    },
    cause: "retransmission",
    retransmitUs: 209_950,
    resent: request("timeout", 0),
  },
  {
    name: "what was pipelined behind one that only took another way waited for nothing that was lost",
    side: "server",
    make: (d) => {
      const [late, behind] = [d.client(100_000, GET), d.client(100_050, GET)];
      return [behind, { ...late, timeUs: BEGIN_US + 101_000 }, d.server(101_100, VALUE), d.server(131_110, VALUE)];
    },
    cause: "server",
    retransmitUs: 0,
    resent: null,
  },
  {
    name: "of two holes before it and in it, one that was pipelined waited for both, each moment once",
    side: "server",
    make: (d) => {
      const whole = resp("SET", "k", "x".repeat(2000));
      const lost = d.client(100_000, GET);
      const parts = [0, 700, 1400].map((from, i) => d.client(100_100 + i, whole.slice(from, from + 700)));
      const late = [again(lost, 310_000, { ipId: 2000 }), again(parts[1]!, 320_000, { ipId: 2001 })];
      const first = d.server(310_200, VALUE, { acknowledgement: parts[1]!.sequence });
      return [parts[0]!, parts[2]!, ...late, first, d.server(320_100, "+OK\r\n")];
    },
    cause: "retransmission",
    retransmitUs: 320_000 - 100_100,
    resent: request("timeout", 1),
  },
];

describe("the cause of a latency, from made captures", () => {
  for (const [i, { name, side, make, cause, retransmitUs, resent }] of CASES.entries()) {
    it(name, async () => {
      const { d, frames } = warm();
      const file = fileOf(`cause-${i}.pcap`, captureOf([...frames, ...make(d)]));
      const { records, status } = await runTcplat(["-r", file, "--side", side, "--json"]);
      assert.equal(status, 0);
      const last = records.at(-1)!;
      assert.deepEqual(
        { cause: last.cause, retransmitUs: last.retransmit_us, resent: last.retransmission },
        { cause, retransmitUs, resent },
      );
      assert.ok(records.slice(0, 8).every((record) => record.retransmit_us === 0));
    });
  }

  it("behind a request with a long response: until that has ended, less the way to the server", async () => {
    const { d, frames } = warm();
    const asked = d.client(100_000, GET + GET + GET);
    const answers = [
      d.server(105_000, "$10\r\nxxxxx"),
      d.server(140_000, `xxxxx\r\n${VALUE}`),
      d.server(150_000, VALUE),
    ];
    const file = fileOf("long-response.pcap", captureOf([...frames, asked, ...answers]));
    const { records } = await runTcplat(["-r", file, "--side", "client", "--json"]);
    const behind = records.slice(-2).map((of) => [of.cause, of.cause_us, of.behind?.id, of.behind?.us]);
    assert.deepEqual(behind, [
      ["queue", 39_000, "1-9", 39_000],
      ["queue", 39_000, "1-9", 39_000],
    ]);
  });

  it("behind a response whose middle came later than one's own: no longer than the share", async () => {
    const { d, frames } = warm();
    const asked = d.client(100_000, GET + GET);
    const [start, middle] = [d.server(105_000, "$10\r\nxxxxx"), d.server(105_010, "xxxxx\r\n")];
    const file = fileOf(
      "late-middle.pcap",
      captureOf([...frames, asked, start, again(middle, 310_000), d.server(105_020, VALUE)]),
    );
    const { records } = await runTcplat(["-r", file, "--side", "client", "--json"]);
    const { cause, cause_us, behind } = records.at(-1)!;
    assert.deepEqual([cause, cause_us, behind?.id, behind?.us], ["queue", 4020, "1-9", 4020]);
  });

  for (const [name, end, words] of [
    ["a reset", (d: Dialogue) => [d.reset("server", 600_000)], "reset) after 500.0 ms"],
    ["the server's end", (d: Dialogue) => [d.fin("server", 600_000)], "closed) after 500.0 ms"],
    [
      "the client's end, then the server's",
      (d: Dialogue) => [d.fin("client", 300_000), d.fin("server", 600_000)],
      "closed) after 500.0 ms",
    ],
    [
      "the end of the capture",
      () => [new Dialogue({ address: "10.0.0.9", port: 9 }).syn(600_000)],
      "end) after 500.0 ms",
    ],
  ] as const) {
    it(`a request without a response has waited until ${name}`, async () => {
      const { d, frames } = warm();
      const asked = d.client(100_000, GET);
      const file = fileOf(
        `ending-${words.slice(0, 3)}-${end(new Dialogue()).length}.pcap`,
        captureOf([...frames, asked, ...end(d)]),
      );
      const { lines } = await runTcplat(["-r", file, "--side", "client", "-t", "400"]);
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, / \| unanswered \((.*) \| GET k$/);
      assert.ok(lines[0]!.includes(`unanswered (${words}`), lines[0]);
    });
  }

  it("a connection that was made slowly has a line and a record, where a threshold is given", async () => {
    const d = new Dialogue();
    const syn = d.syn(0);
    const frames = [syn, again(syn, 1_000_000), d.synAck(1_001_000), d.ack("client", 1_001_010)];
    const file = fileOf("connect.pcap", captureOf([...frames, d.client(1_002_000, GET), d.server(1_003_100, VALUE)]));
    const run = async (...words: string[]) => (await runTcplat(["-r", file, "--side", "client", ...words])).lines;
    const [line, ...none] = await run("-t", "500");
    assert.match(
      line!,
      / 10\.0\.0\.1:40001 => 10\.0\.0\.2:6379 \| 1001\.010 ms \| \(connect\) \| 1 SYN retransmission$/,
    );
    assert.deepEqual(none, []);
    assert.equal((await run("-t", "1002")).length, 0);
    assert.equal((await run()).filter((each) => each.includes("(connect)")).length, 0);
    const [record] = await run("-t", "500", "--json");
    const { type, id, latency_us, syn_retransmissions, rtt_us } = JSON.parse(record!);
    assert.deepEqual([type, id, latency_us, syn_retransmissions, rtt_us], ["connect", "1", 1_001_010, 1, null]);
  });
});

/** KEYS with a response of 9 KB on connection 1, and a GET on connection 2 that was answered while that was still on its way. */
function behindLongResponse(change: { readonly resent?: boolean }): Sent[] {
  const { d: keys, frames } = warm();
  const asked = keys.client(100_000, resp("KEYS", "*"));
  const copies = change.resent === true ? [again(asked, 310_000)] : [];
  const parts = [0, 1400, 2800, 4200, 5600, 7000].map((from, i) =>
    keys.server(
      350_000 + (i === 5 ? 50_000 : i * 100),
      `*1\r\n${VALUE_OF_9000}`.slice(from, i === 5 ? undefined : from + 1400),
    ),
  );
  const victim = new Dialogue({ address: "10.0.0.1", port: 40_002 });
  const others = [victim.syn(0), victim.synAck(RTT), victim.ack("client", RTT + 10)];
  others.push(victim.client(320_000, GET), victim.server(350_100, VALUE));
  return [...frames, asked, ...copies, ...parts, ...others];
}

describe("who waited for a command whose long response ends much later", () => {
  const cases = [
    { name: "names it", change: {}, behind: { id: "1-9", command: "KEYS", us: 29_000, elsewhere: true } },
    { name: "names nobody where that one was sent again", change: { resent: true }, behind: null },
  ];
  for (const { name, change, behind } of cases) {
    it(name, async () => {
      const file = fileOf("long-response.pcap", captureOf(behindLongResponse(change)));
      const { records } = await runTcplat(["-r", file, "--json", "--side", "client", "-t", "10"]);
      const told = records.filter(({ type }) => type === "transaction");
      assert.deepEqual(
        told.map(({ command, behind: of }) => [command, of]),
        [
          ["GET", behind],
          ["KEYS", null],
        ],
      );
    });
  }
});

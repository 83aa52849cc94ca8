import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { captureOf, fileOf } from "../diff/two-hosts.ts";
import { answer, question } from "../support/dns.ts";
import { CLIENT, Dialogue, datagram, SERVER, seenAgain, sentAgain, type TestSegment } from "../support/segments.ts";
import { CLI, runTcplat } from "../support/tcplat.ts";
import { elsewhere, explained, get, lostRequest, pipelined, slowReader, talk, write } from "./captures.ts";
import { ELSEWHERE, LOST_REQUEST, PIPELINED, SLOW_READER } from "./texts.ts";

/** Parts of `explain --json` that tests look at. */
interface Explanation {
  readonly type: string;
  readonly id: string;
  readonly latency_us: number;
  readonly cause: string;
  readonly behind: { readonly id: string } | null;
  readonly waited_for: { readonly id: string; readonly summary: string; readonly from_us: number } | null;
  readonly phases: readonly {
    readonly name: string;
    readonly us: number;
    readonly spans: readonly { readonly from_us: number; readonly to_us: number }[];
  }[];
  readonly segments: readonly {
    readonly elided?: number;
    readonly at_us: number;
    readonly from: string;
    readonly bytes: number;
    readonly to_client_bytes?: number;
    readonly relative_seq: number | null;
    readonly carries: readonly { readonly what: string }[];
    readonly notes?: readonly { readonly what: string; readonly by?: string }[];
  }[];
  readonly duplicate_frames: number;
  readonly advice: string;
}

async function explanation(...words: readonly string[]): Promise<Explanation> {
  const { text, stderr, status } = await explained("--json", ...words);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(text.indexOf("\n"), text.length - 1);
  return JSON.parse(text) as Explanation;
}

/** The phases fill the latency, one beside the other. */
function assertWhole({ latency_us: latencyUs, phases }: Explanation): void {
  assert.equal(
    phases.reduce((sum, { us }) => sum + us, 0),
    latencyUs,
  );
  const spans = phases.flatMap((phase) => phase.spans).toSorted((a, b) => a.from_us - b.from_us);
  let at = 0;
  for (const span of spans) {
    assert.ok(Math.abs(span.from_us - at) <= 1, JSON.stringify(spans));
    at = span.to_us;
  }
  assert.ok(Math.abs(at - latencyUs) <= 1, JSON.stringify(spans));
}

/** What was odd, segment by segment. */
function notesOf({ segments }: Explanation): string[] {
  return segments.flatMap(({ notes = [] }) => notes.map(({ what, by }) => (by === undefined ? what : `${what} ${by}`)));
}

describe("tcplat explain prints", () => {
  const cases: readonly (readonly [string, TestSegment[][], string, string])[] = [
    ["a request that was lost and sent again", [lostRequest()], "1-1", LOST_REQUEST],
    ["a request behind another in its pipeline", [pipelined()], "1-2", PIPELINED],
    ["a reader that closed its window", [slowReader()], "1-1", SLOW_READER],
    ["a request that waited for another connection's", elsewhere(), "2-1", ELSEWHERE],
  ];
  for (const [name, talks, id, text] of cases) {
    it(name, async () => {
      const file = write(`${id}.pcap`, ...talks);
      const told = await explained("-r", file, "--side", "client", id);
      assert.deepEqual(told, { text, stderr: "", status: 0 });
      assertWhole(await explanation("-r", file, "--side", "client", id));
    });
  }

  it("of a request that the server's own host saw and dropped, where to look: at that host, not between the two", async () => {
    const file = write("dropped-here.pcap", lostRequest());
    const { cause, advice } = await explanation("-r", file, "--side", "server", "1-1");
    assert.equal(cause, "retransmission");
    assert.match(
      advice,
      /^One segment of the request was lost on the server's own host, behind the capture, and sent again, /,
    );
    assert.match(advice, /firewall/);
    assert.doesNotMatch(advice, /between/);
  });

  it("a window that closed often was closed as long as the cause says, though most of its segments are only counted", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get("large"));
    dialogue.server(11_500, `$60000\r\n${"x".repeat(992)}`);
    for (let i = 0; i < 59; i++) {
      dialogue.ack("client", 11_510 + 2000 * i, { window: 0 });
      dialogue.ack("client", 12_510 + 2000 * i, { window: 512 });
      dialogue.server(13_500 + 2000 * i, "x".repeat(1000));
    }
    dialogue.server(131_500, `${"x".repeat(8)}\r\n`);
    dialogue.ack("client", 131_510);
    const { text } = await explained("-r", write("often.pcap", dialogue.segments), "1-1", "--side", "client");
    assert.match(text, /^ {2}cause: receive, .*\(window closed 59\.000\)$/m);
    assert.match(text, /^\| window closed {8}59\.000 /m);
    assert.match(text, /\.\.\. \d+ more segments/);
  });

  it("no line longer than a pipe's hundred columns, whatever the key, and nothing that moves a terminal", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get(`\x1b[2J\x07${"k".repeat(110)}`));
    dialogue.server(10_500, "$-1\r\n");
    const { text } = await explained("-r", write("key.pcap", dialogue.segments), "1-1");
    assert.match(text, /^1-1 {2}GET\n\\x1b\[2J\\x07k+/);
    assert.match(text, /^[\n\x20-\x7e]+$/);
    for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
  });

  it("no password", async () => {
    const dialogue = talk();
    dialogue.client(10_000, "*2\r\n$4\r\nAUTH\r\n$6\r\nsesame\r\n");
    dialogue.server(30_000, "+OK\r\n");
    const file = write("auth.pcap", dialogue.segments);
    for (const more of [[], ["--json"], ["--show-values"]]) {
      const { text } = await explained("-r", file, "1-1", ...more);
      assert.match(text, /AUTH \(redacted\)/);
      assert.doesNotMatch(text, /sesame/);
    }
  });
});

describe("tcplat explain without an id", () => {
  const file = write("several.pcap", ...elsewhere());

  it("explains the slowest, and names the next ones with their ids", async () => {
    const { text, stderr, status } = await explained("-r", file, "--side", "client");
    assert.deepEqual([stderr, status], ["", 0]);
    const { text: alone } = await explained("-r", file, "--side", "client", "1-1");
    assert.equal(text.slice(0, alone.length), alone);
    const head = "The slowest of 2 requests of class normal. Next are (explain takes an id):";
    assert.equal(text.slice(alone.length), `\n${head}\n  2-1  40.100 ms  server  GET user:1\n`);
  });

  it("names their causes in the words of the one that is explained", async () => {
    const dialogue = new Dialogue();
    for (const at of [10_000, 2_000_000, 4_000_000]) {
      dialogue.client(at, get("user:1"));
      dialogue.server(at + 20_000 + at / 1000, "$3\r\nbar\r\n");
    }
    const { text } = await explained("-r", write("midstream.pcap", dialogue.segments));
    assert.match(text, /^ {2}cause: server or network, /m);
    assert.match(text, /^ {2}1-2 {2}22\.000 ms {2}server or network {2}GET user:1$/m);
  });

  it("does so among what the filter takes", async () => {
    const { text } = await explained("-r", write("alone.pcap", lostRequest()), "tcp", "port", "6379");
    assert.match(text, /^1-1 {2}GET user:1\n/);
    assert.match(text, /\nIt is the only request of class normal in this capture\.\n$/);
  });

  it("leaves out what waits on purpose, and what the capture lost, not what was never answered", async () => {
    const dialogue = talk();
    dialogue.client(10_000, "*3\r\n$5\r\nBLPOP\r\n$1\r\nq\r\n$1\r\n0\r\n");
    dialogue.server(9_000_000, "*-1\r\n");
    dialogue.client(9_000_100, get("a"));
    dialogue.server(9_000_200, "$-1\r\n");
    dialogue.client(9_000_300, get("b"));
    dialogue.reset("server", 9_500_300);
    const { text } = await explained("-r", write("vain.pcap", dialogue.segments));
    assert.match(text, /^1-3 {2}GET b\n/);
    assert.match(text, /The slowest of 2 requests.*\n {2}1-2 {2}0\.100 ms {2}\w+ {2}GET a\n$/);
  });

  it("tells the same with --json", async () => {
    const { text } = await explained("-r", file, "--side", "client", "--json");
    const told = JSON.parse(text) as { id: string; slowest_of: number; next_slowest: { id: string }[] };
    assert.deepEqual([told.id, told.slowest_of, told.next_slowest.map(({ id }) => id)], ["1-1", 2, ["2-1"]]);
  });
});

describe("tcplat explain --json", () => {
  it("tells a segment that was lost before it came here from one that only took longer", async () => {
    for (const [ipId, expected] of [
      [900, ["hole", "duplicate_ack", "duplicate_ack", "retransmission_of_lost fast"]],
      [99, ["hole", "duplicate_ack", "duplicate_ack", "out_of_order"]],
    ] as const) {
      const dialogue = talk();
      const value = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000\r\n${"x".repeat(2000)}\r\n`;
      const first = dialogue.client(10_000, value.slice(0, 1000));
      dialogue.segments.pop();
      dialogue.client(10_010, value.slice(1000));
      dialogue.ack("server", 10_020, { acknowledgement: 1001 });
      dialogue.ack("server", 10_030, { acknowledgement: 1001 });
      dialogue.segments.push({ ...sentAgain(first, 18_000), ipId });
      dialogue.server(18_500, "+OK\r\n");
      const told = await explanation("-r", write("hole.pcap", dialogue.segments), "--side", "server", "1-1");
      assert.deepEqual(notesOf(told), expected);
      // Its first byte came here when that segment did: what was lost before is in no latency of this side's.
      assert.equal(told.cause, "server");
      assertWhole(told);
    }
  });

  it("knows a needless copy, a keep-alive, and a frame captured twice", async () => {
    const dialogue = talk();
    const request = dialogue.client(10_000, get("k"));
    dialogue.ack("server", 11_000);
    dialogue.segments.push(sentAgain(request, 12_000), seenAgain(request, 2));
    dialogue.ack("server", 20_000, { sequence: 5000 });
    dialogue.server(50_000, "$-1\r\n");
    const told = await explanation("-r", write("odd.pcap", dialogue.segments), "1-1");
    assert.deepEqual(notesOf(told), ["retransmission early", "keep_alive"]);
    assert.equal(told.duplicate_frames, 1);
  });

  it("shows a bounded number of segments of a large response, and counts the others", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get("big"));
    dialogue.server(11_000, "$1000000\r\n");
    for (let n = 0; n < 1000; n++) {
      const segment = dialogue.server(11_010 + n * 10, "x".repeat(1000));
      if (n === 500) dialogue.segments.push(sentAgain(segment, 16_015));
    }
    dialogue.server(30_000, "\r\n");
    dialogue.ack("client", 30_010);
    const told = await explanation("-r", write("big.pcap", dialogue.segments), "--side", "client", "1-1");
    const elided = told.segments.filter((each) => each.elided !== undefined);
    assert.ok(told.segments.length < 100, `${told.segments.length}`);
    assert.equal(elided.length, 2);
    const shown = told.segments.reduce((sum, { from, bytes }) => sum + (from === "server" ? bytes : 0), 0);
    const counted = elided.reduce((sum, each) => sum + each.to_client_bytes!, 0);
    assert.equal(shown + counted, 1_000_012 + 1000);
    assert.deepEqual(notesOf(told), ["retransmission early"]);
    assertWhole(told);
  });

  it("shows a bounded number of them where every second one was lost and sent again", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get("big"));
    dialogue.server(11_000, "$1000000\r\n");
    for (let n = 0; n < 1000; n++) {
      const segment = dialogue.server(11_010 + n * 10, "x".repeat(1000));
      if (n % 2 === 0) dialogue.segments.push(sentAgain(segment, 11_015 + n * 10));
    }
    dialogue.server(30_000, "\r\n");
    dialogue.ack("client", 30_010);
    const told = await explanation("-r", write("lossy.pcap", dialogue.segments), "--side", "client", "1-1");
    const again = notesOf(told).filter((note) => note.startsWith("retransmission"));
    assert.ok(
      told.segments.length < 60 && again.length >= 5,
      `${told.segments.length} segments, ${again.length} again`,
    );
    const sum = told.segments.reduce((all, { from, bytes, to_client_bytes: elided = 0 }) => {
      return all + elided + (from === "server" ? bytes : 0);
    }, 0);
    assert.equal(sum, 1_000_012 + 500_000);
  });

  it("sends whoever looks from the client's host to the server's, where nobody was waited for", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get("k"));
    dialogue.server(40_000, "+OK\r\n");
    const file = write("doubt.pcap", dialogue.segments);
    const [near, far] = await Promise.all(
      ["client", "server"].map((side) => explanation("-r", file, "--side", side, "1-1")),
    );
    assert.match(near!.advice, /SLOWLOG GET .* tcplat diff tell\.$/);
    assert.match(far!.advice, /SLOWLOG GET .* waited for a CPU\.$/);
  });

  it("names who was waited for, and where that one stood", async () => {
    const own = await explanation("-r", write("own.pcap", pipelined()), "1-2");
    assert.deepEqual([own.cause, own.behind?.id, own.waited_for?.summary], ["queue", "1-1", "KEYS *"]);
    assert.equal(own.waited_for?.from_us, 0);
    const { waited_for: other } = await explanation("-r", write("other.pcap", ...elsewhere()), "2-1");
    assert.deepEqual([other?.id, other?.summary, other?.from_us], ["1-1", "EVAL", -10_000]);
  });

  it("has segments and advice, but no phases, of a request without an answer", async () => {
    const dialogue = talk();
    dialogue.client(10_000, get("k"));
    dialogue.reset("server", 15_000);
    const file = write("reset.pcap", dialogue.segments);
    const told = await explanation("-r", file, "1-1");
    assert.deepEqual([told.phases, told.latency_us], [[], null]);
    assert.match(told.advice, /reset before a response came/);
    assert.match((await explained("-r", file, "1-1")).text, /no response +5\.000 {2}100\.0 % #+\n/);
  });

  it("counts sequence numbers from the message's first byte, over their end, too", async () => {
    const dialogue = new Dialogue(CLIENT, SERVER, 2 ** 32 - 1010, 2 ** 32 - 4);
    dialogue.open();
    dialogue.client(10_000, `*2\r\n$3\r\nGET\r\n$1100\r\n${"k".repeat(981)}`);
    dialogue.client(10_010, `${"k".repeat(119)}\r\n`);
    dialogue.server(20_000, "$-1\r\n");
    const told = await explanation("-r", write("wrap.pcap", dialogue.segments), "1-1");
    const carrying = told.segments.filter(({ bytes }) => bytes > 0);
    assert.deepEqual(
      carrying.map(({ relative_seq, carries }) => [relative_seq, carries.map(({ what }) => what)]),
      [
        [0, ["request"]],
        [1001, ["request"]],
        [0, ["response"]],
      ],
    );
  });
});

describe("tcplat explain ends with 2 and one line", () => {
  const file = write("two.pcap", ...elsewhere());
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["for a request that the connection has not", ["-r", file, "1-7"], /has no request 1-7: 1-1 is the last of that/],
    [
      "for a connection that is not there",
      ["-r", file, "9-1"],
      /no request 9-1: it has 2 requests, .* is 2-1; .*--server/,
    ],
    ["where the filter leaves nothing", ["-r", file, "1-1", "port", "1"], /no request is found in it at all/],
    ["for a number that is none", ["-r", file, "2_1"], /and 2_1 is none: tcplat explain -r FILE \[ID\]/],
    ["for an id behind the filter", ["-r", file, "tcp", "2-1"], /before the filter: tcplat explain -r FILE 2-1 /],
    ["where nothing is slow", ["-r", file, "tcp port 1"], /has no request of class normal: give the same -p/],
    ["for a connection", ["-r", file, "2"], /and 2 is a connection's number: 2-1 is its first request: tcplat explain/],
    ["without a file", ["1-1"], /name it, as in tcplat explain -r FILE$/m],
    ["for standard input", ["-r", "-", "1-1"], /save it to a file first/],
    ["where there is no file", ["-r", "/nowhere.pcap", "1-1"], /\/nowhere\.pcap: no such file/],
    ["with -w", ["-r", file, "1-1", "-w", "x.pcap"], /--write has no meaning for explain/],
  ];
  for (const [name, words, expected] of cases) {
    it(name, async () => {
      const { text, stderr, status } = await explained(...words);
      assert.deepEqual([text, status], ["", 2]);
      assert.match(stderr, expected);
      assert.equal(stderr.indexOf("\n"), stderr.length - 1);
    });
  }
});

it("takes a filter, -p, -t and -c as a run does", async () => {
  const file = write("filtered.pcap", ...elsewhere());
  // With the other connection filtered out, this one is the first.
  const words = ["-r", file, "1-1", "-p", "redis", "-t", "10", "--vlan", "tcp", "port", "40002"];
  const told = await explanation(...words);
  assert.deepEqual([told.id, told.behind, told.latency_us], ["1-1", null, 40_100]);
  const { stderr, status } = await explained("-r", file, "2-1", "-c", "3");
  assert.equal(status, 2, stderr);
});

it("explains what a cut file still tells, and warns", async () => {
  const frames = lostRequest();
  const whole = write("whole.pcap", frames);
  const cut = fileOf("cut.pcap", readFileSync(whole).subarray(0, -10));
  const { text, stderr, status } = await explained("-r", cut, "1-1");
  assert.match(text, /^1-1 {2}GET user:1\n/);
  assert.match(stderr, /ends in the middle of a frame/);
  assert.equal(status, 0);
});

it("finds the segments where the clock was set back meanwhile", async () => {
  const dialogue = talk();
  dialogue.client(20_000_000, get("k"));
  dialogue.server(20_000_500, "$-1\r\n");
  dialogue.client(10_000_000, get("k"));
  dialogue.server(10_000_500, "$-1\r\n");
  const file = fileOf("back.pcap", captureOf(dialogue.segments));
  const { segments } = await explanation("-r", file, "1-2");
  const carried = segments.flatMap(({ carries }) => carries.map(({ what }) => what));
  assert.deepEqual(carried, ["request", "response"]);
});

it("leaves quietly when nobody reads", () => {
  const file = write("unread.pcap", lostRequest());
  const line = `"${process.execPath}" "${CLI}" explain -r "${file}" 1-1 | true`;
  const { stderr, status } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
  assert.deepEqual([stderr, status], ["", 0]);
});

it("explains what stands before a fault of the file, and ends with 1", async () => {
  const whole = readFileSync(write("before.pcap", lostRequest().slice(0, -2)));
  const fault = Buffer.alloc(16, 0xff);
  const { text, stderr, status } = await explained("-r", fileOf("fault.pcap", Buffer.concat([whole, fault])), "1-1");
  assert.match(text, /unanswered \(end\)/);
  assert.match(stderr, /cannot be read further/);
  assert.equal(status, 1);
});

describe("of a real capture with losses", () => {
  const file = join(process.cwd(), "../shared/captures/made/lossy_redis_loss3_client.pcap");
  const skip = existsSync(file) ? false : "the capture is not here";
  it("each cause's slowest is explained whole, as the records say", { skip, timeout: 60_000 }, async () => {
    const run = await runTcplat(["-r", file, "--side", "client", "--json"]);
    const slowest = new Map<string, { id: string; cause: string; latency_us: number }>();
    for (const record of run.records as unknown as readonly { id: string; cause: string; latency_us: number }[]) {
      const known = slowest.get(record.cause);
      if (record.latency_us > (known?.latency_us ?? 0)) slowest.set(record.cause, record);
    }
    assert.ok(slowest.size >= 4, [...slowest.keys()].join(" "));
    for (const { id, cause, latency_us } of slowest.values()) {
      const told = await explanation("-r", file, "--side", "client", id);
      assert.deepEqual([told.id, told.cause, told.latency_us], [id, cause, latency_us]);
      assertWhole(told);
      if (cause === "retransmission")
        assert.ok(
          notesOf(told).some((note) => note.startsWith("retransmission")),
          id,
        );
    }
  });
});

it("explains a question in a datagram: there is no window that could be closed, and it was sent again", async () => {
  const ask = question(7, "www.example.com");
  const server = { ...SERVER, port: 53 };
  const file = fileOf(
    "datagrams.pcap",
    captureOf([
      datagram(0, CLIENT, server, ask, 1),
      datagram(5_000_000, CLIENT, server, ask, 2),
      datagram(5_001_000, server, CLIENT, answer(7, "www.example.com"), 3),
    ]),
  );
  const { latency_us, cause, phases, segments } = await explanation("-r", file, "1-1");
  assert.deepEqual([latency_us, cause], [5_001_000, "retransmission"]);
  assert.equal(phases.find(({ name }) => name === "retransmission")?.us, 5_000_000);
  assert.deepEqual(
    segments.map(({ from, at_us }) => [from, at_us]),
    [
      ["client", 0],
      ["client", 5_000_000],
      ["server", 5_001_000],
    ],
  );
  assert.ok(!JSON.stringify(segments).includes("window_closed"));
});

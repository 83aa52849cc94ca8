import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BEGIN_US, Dialogue, ETHERNET, SERVER, sentAgain, type TestSegment } from "../support/segments.ts";
import { runTcplat } from "../support/tcplat.ts";
import { atServer, captureOf, type DiffRequest, diffJson, fileOf, type Told, type Way } from "./two-hosts.ts";

const REQUESTS = 40;
const GAP_US = 20_000;
const AHEAD_US = 2_500_000;
/** The n-th request costs the server `serverUs(n)`; the network 300 µs there and 200 back, and a little more now and then. */
const serverUs = (n: number): number => 100 + 50 * n;
const jitterUs = (n: number): number => (n % 5) * 40;
const WAY: Way = {
  thereUs: (n) => 300 + jitterUs(n),
  backUs: (n) => 200 + jitterUs(n + 2),
  clock: (us) => us + AHEAD_US,
};

/** A talk as the client's host captures it, and the segments of each request: GET, its answer, its acknowledgement. */
function talk(host?: ConstructorParameters<typeof Dialogue>[0]): { dialogue: Dialogue; exchanges: TestSegment[][] } {
  const dialogue = new Dialogue(host);
  dialogue.open(0);
  const exchanges: TestSegment[][] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const at = 1000 + n * GAP_US;
    const index = dialogue.segments.length;
    const request = dialogue.client(at, `*2\r\n$3\r\nGET\r\n$6\r\nuser:${n % 10}\r\n`);
    const us = WAY.thereUs(index) + serverUs(n) + WAY.backUs(index + 1);
    exchanges.push([request, dialogue.server(at + us, "$3\r\nbar\r\n"), dialogue.ack("client", at + us + 5)]);
  }
  return { dialogue, exchanges };
}

const { dialogue: TALK, exchanges: EXCHANGES } = talk();
const CLIENT_FILE = fileOf("client.pcap", captureOf(TALK.segments));
const SERVER_FILE = fileOf("server.pcap", captureOf(atServer(TALK.segments, SERVER, WAY)));

/** What each request must say, by its number. */
function assertShares(told: Told, numbers: readonly number[]): void {
  const both = told.requests.filter(({ seen }) => seen === "both");
  assert.equal(both.length, numbers.length);
  for (const [at, n] of numbers.entries()) {
    const each = both[at]!;
    const index = 3 + 3 * n;
    const [there, back] = [WAY.thereUs(index), WAY.backUs(index + 1)];
    assert.deepEqual([each.server_us, each.network_us], [serverUs(n), there + back], each.summary);
    assert.equal(each.client_us, serverUs(n) + there + back);
    const uncertaintyUs = told.summary.clock!.uncertainty_us;
    assert.ok(Math.abs(each.there_us! - there) <= uncertaintyUs, `there ${each.there_us}, not ${there}`);
    assert.equal(each.there_us! + each.back_us!, each.network_us);
  }
}

const ALL = Array.from({ length: REQUESTS }, (_, n) => n);

/** `--json` records of a capture file. */
async function recordsOf(name: string, file: string, ...words: readonly string[]): Promise<string> {
  const { stdout, status } = await runTcplat(["-r", file, "--json", ...words]);
  assert.equal(status, 0);
  return fileOf(name, stdout);
}

describe("tcplat diff", () => {
  it("gives network and server their shares to the microsecond, and states the clocks' offset", async () => {
    const told = await diffJson(CLIENT_FILE, SERVER_FILE);
    assert.deepEqual([told.status, told.stderr], [0, ""]);
    assertShares(told, ALL);
    const { clock, joined, only_client, only_server, rows } = told.summary;
    assert.ok(Math.abs(clock!.offset_us - AHEAD_US) <= clock!.uncertainty_us, `${clock!.offset_us}`);
    assert.deepEqual(
      [clock!.uncertainty_us, clock!.drift_ppm, clock!.is_steady, clock!.samples],
      [250, 0, true, REQUESTS],
    );
    assert.equal(joined, REQUESTS);
    for (const only of [only_client, only_server]) assert.deepEqual(new Set(Object.values(only)), new Set([0]));
    const networkUs = told.requests.reduce((sum, each) => sum + each.network_us!, 0);
    assert.deepEqual(
      rows.map(({ server, command, requests, network }) => [server, command, requests, network.sum_us]),
      [
        ["10.0.0.2:6379", null, REQUESTS, networkUs],
        ["10.0.0.2:6379", "GET", REQUESTS, networkUs],
      ],
    );
  });

  it("takes record files for captures, on either side", async () => {
    const client = await recordsOf("client.json", CLIENT_FILE);
    const server = await recordsOf("server.json", SERVER_FILE);
    for (const files of [
      [client, server],
      [client, SERVER_FILE],
      [CLIENT_FILE, server],
    ] as const) {
      const told = await diffJson(...files);
      assertShares(told, ALL);
      assert.equal(told.summary.joined, REQUESTS);
    }
  });

  it("knows that a record file with -t does not hold all", async () => {
    const server = await recordsOf("slow.json", SERVER_FILE, "-t", "1500us");
    const told = await diffJson(CLIENT_FILE, server);
    const slow = ALL.filter((n) => serverUs(n) >= 1500);
    assertShares(told, slow);
    assert.equal(told.summary.server.unlisted, REQUESTS - slow.length);
    assert.equal(told.summary.only_client.unlisted, REQUESTS - slow.length);
  });

  it("says in words how much of what its run saw a record file does not hold, or that nobody knows", async () => {
    const slow = await recordsOf("slow.json", SERVER_FILE, "-t", "1500us");
    const { stdout } = await runTcplat(["diff", CLIENT_FILE, slow, "-q"]);
    const left = ALL.filter((n) => serverUs(n) < 1500).length;
    assert.match(
      stdout,
      new RegExp(`^server .*; its run saw ${left} more and did not print them \\(-t, --filter,`, "m"),
    );
    const all = await runTcplat(["-r", SERVER_FILE, "--json"]);
    const unfinished = fileOf("unfinished.json", all.stdout.replace(/\{"type":"summary".*\n/, ""));
    const told = await runTcplat(["diff", CLIENT_FILE, unfinished, "-q"]);
    assert.match(told.stdout, /^server .*; it has no summary: whether it holds all, nobody knows$/m);
  });

  it("has a row for each command and class, with the network's share of what the clients waited", async () => {
    const dialogue = new Dialogue();
    dialogue.open();
    for (const [at, words] of [
      [1000, "*3\r\n$5\r\nBLPOP\r\n$1\r\nk\r\n$1\r\n0\r\n"],
      [9000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"],
    ] as const) {
      dialogue.client(at, words);
      dialogue.server(at + 1000, "$-1\r\n");
    }
    const way: Way = { thereUs: () => 150, backUs: () => 100, clock: (us) => us };
    const server = fileOf("classes-server.pcap", captureOf(atServer(dialogue.segments, SERVER, way)));
    const client = fileOf("classes-client.pcap", captureOf(dialogue.segments));
    const { stdout } = await runTcplat(["diff", client, server, "-q"]);
    const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    const times = ["1.000", "1.000", "1.000", "0.750", "0.750", "0.750", "0.250", "0.250", "0.250", "25.0 %"];
    for (const name of ["10.0.0.2:6379", "GET", "BLPOP (blocking)"]) {
      assert.deepEqual(
        rows.find(([first]) => first === name),
        [name, "1", ...times],
      );
    }
  });

  it("tells what lies before and behind the other capture from what is missing in it", async () => {
    const isSeen = (segment: TestSegment, index: number) =>
      index >= 3 + 3 * 10 && index < 3 + 3 * 30 && segment !== EXCHANGES[20]![0];
    const server = fileOf("part.pcap", captureOf(atServer(TALK.segments.filter(isSeen), SERVER, WAY)));
    const told = await diffJson(CLIENT_FILE, server);
    const { only_client: only } = told.summary;
    assert.equal(only.outside, 20, JSON.stringify(only));
    assert.ok(only.missing! >= 1, JSON.stringify(only));
    const lost = told.requests.filter(({ why }) => why === "missing");
    assert.ok(
      lost.some(
        ({ start }) => start === new Date((BEGIN_US + 1000 + 20 * GAP_US) / 1000).toISOString().replace("Z", "000Z"),
      ),
    );
    assert.equal(told.summary.joined + only.outside! + only.missing!, REQUESTS);
  });

  it("charges the network with a request that was lost on the way and sent again", async () => {
    const dialogue = new Dialogue();
    dialogue.open();
    for (let n = 0; n < 5; n++)
      dialogue.client(1000 + n * 1000, "PING\r\n") && dialogue.server(1600 + n * 1000, "+PONG\r\n");
    const lost = dialogue.client(10_000, "PING\r\n");
    dialogue.segments.push(sentAgain(lost, 210_000));
    dialogue.server(210_600, "+PONG\r\n");
    const way: Way = { thereUs: () => 200, backUs: () => 200, clock: (us) => us - 77 };
    const server = captureOf(atServer(dialogue.segments, SERVER, way, (segment) => segment === lost));
    const told = await diffJson(fileOf("again.pcap", captureOf(dialogue.segments)), fileOf("once.pcap", server));
    const last = told.requests.at(-1)!;
    assert.deepEqual([last.client_us, last.server_us, last.network_us], [200_600, 200, 200_400]);
    assert.deepEqual([last.there_us, last.back_us], [200_200, 200]);
    assert.deepEqual([last.at_client!.flags, last.at_server!.flags], [["retransmission"], []]);
    assert.equal(told.summary.joined, 6);
    assert.equal(told.summary.clock!.offset_us, -77);
  });

  it("joins connections behind an address translation by their sequence numbers, and says so", async () => {
    const translate = (host: typeof SERVER) =>
      host.port === SERVER.port ? { address: "172.17.0.2", port: 6380 } : { address: "192.0.2.1", port: 61_000 };
    const server = fileOf("nat.pcap", captureOf(atServer(TALK.segments, SERVER, { ...WAY, translate })));
    const told = await diffJson(CLIENT_FILE, server, ["-p", "redis"]);
    assertShares(told, ALL);
    assert.equal(told.summary.joined_by_sequence, REQUESTS);
    const [first] = told.requests;
    assert.deepEqual([first!.joined_by, first!.client], ["sequence", "10.0.0.1:40001"]);
    assert.deepEqual([first!.at_server!.client, first!.at_server!.server], ["192.0.2.1:61000", "172.17.0.2:6380"]);
    const text = await runTcplat(["diff", CLIENT_FILE, server, "-p", "redis"]);
    assert.match(text.stdout, /^joined +40 requests: 40 by sequence numbers alone/m);
    assert.match(text.stdout, /GET user:0 \| .*at the server 192\.0\.2\.1:61000 => 172\.17\.0\.2:6380$/m);
  });

  it("says of connections that are not on the other side, or come with other numbers there, that they are", async () => {
    const other = new Dialogue({ address: "10.0.0.1", port: 40_002 }, SERVER, 9_000_000);
    other.open(1000);
    other.client(2000, "PING\r\n");
    other.server(3000, "+PONG\r\n");
    const byTime = (segments: readonly TestSegment[]) => segments.toSorted((a, b) => a.timeUs - b.timeUs);
    const client = fileOf("two.pcap", captureOf(byTime([...TALK.segments, ...other.segments])));
    const unseen = (await diffJson(client, SERVER_FILE)).summary.only_client;
    assert.deepEqual(unseen, { outside: 0, unlisted: 0, connection: 1, rewritten: 0, missing: 0 });
    const rewritten = other.segments.map((segment) => {
      const { sequence, acknowledgement } = segment;
      const isFromServer = segment.from.port === SERVER.port;
      return { ...segment, ...(isFromServer ? { acknowledgement: acknowledgement + 5 } : { sequence: sequence + 5 }) };
    });
    const way: Way = { ...WAY, thereUs: () => 300, backUs: () => 200 };
    const server = [...atServer(TALK.segments, SERVER, WAY), ...atServer(rewritten, SERVER, way)];
    const { summary } = await diffJson(client, fileOf("rewritten.pcap", captureOf(byTime(server))));
    for (const only of [summary.only_client, summary.only_server])
      assert.deepEqual(only, { outside: 0, unlisted: 0, connection: 0, rewritten: 1, missing: 0 });
  });

  it("finds a drift of the clocks, and the shares all the same", async () => {
    const clock = (us: number) => us + 1000 + (us - BEGIN_US) * 200e-6;
    const dialogue = new Dialogue();
    dialogue.open();
    for (let n = 0; n < 400; n++) {
      dialogue.client(1000 + n * 10_000, "PING\r\n");
      dialogue.server(1900 + n * 10_000 + 60 * (n % 7), "+PONG\r\n");
    }
    const way: Way = { thereUs: () => 400, backUs: (index) => 300 + 60 * (((index - 4) / 2) % 7), clock };
    const server = captureOf(atServer(dialogue.segments, SERVER, way));
    const told = await diffJson(fileOf("steady.pcap", captureOf(dialogue.segments)), fileOf("drift.pcap", server));
    assert.ok(Math.abs(told.summary.clock!.drift_ppm - 200) < 5, `${told.summary.clock!.drift_ppm}`);
    for (const { server_us } of told.requests) assert.ok(Math.abs(server_us! - 200) <= 1, `${server_us}`);
  });

  it("prints a summary, then a line for each request; -t and -q leave lines out", async () => {
    const all = await runTcplat(["diff", CLIENT_FILE, SERVER_FILE]);
    assert.equal(all.status, 0);
    assert.match(all.stdout, /^clocks +the server's is 2\d{3}\.\d{3} ms ahead of the client's, ± 0\.250 ms/m);
    assert.match(all.stdout, /^10\.0\.0\.2:6379 +40 +\d/m);
    const line =
      /^2026-\S+ \S+ 10\.0\.0\.1:40001 => 10\.0\.0\.2:6379 \| client +\d\.\d{3}, server +\d\.\d{3}, network +\d\.\d{3} ms \| GET user:\d/;
    assert.equal(all.lines.filter((each) => line.test(each)).length, REQUESTS);
    const slow = await runTcplat(["diff", CLIENT_FILE, SERVER_FILE, "-t", "2"]);
    const told = await diffJson(CLIENT_FILE, SERVER_FILE, ["-t", "2"]);
    const count = slow.lines.filter((each) => line.test(each)).length;
    assert.ok(count > 0 && count < REQUESTS);
    assert.equal(told.requests.length, count);
    assert.ok(told.requests.every(({ client_us }: DiffRequest) => client_us! >= 2000));
    const quiet = await runTcplat(["diff", CLIENT_FILE, SERVER_FILE, "-q"]);
    assert.equal(quiet.stdout, all.stdout.slice(0, quiet.stdout.length));
    assert.equal(quiet.lines.filter((each) => line.test(each)).length, 0);
  });

  it("asks whether the files are swapped where requests took longer at the server, and blames no clock", async () => {
    const { stdout } = await runTcplat(["diff", SERVER_FILE, CLIENT_FILE, "-q"]);
    assert.match(
      stdout,
      /\n +40 with more time at the server than at the client: no network is told\n +are the files the other way round\?/,
    );
    assert.match(
      stdout,
      /clocks +the server's is 2\d+\.\d+ ms behind the client's, ± \d+\.\d+ ms: the requests contradict each other/,
    );
    const { clock } = (await diffJson(SERVER_FILE, CLIENT_FILE)).summary;
    assert.ok(clock!.uncertainty_us > 0, `${clock!.uncertainty_us}`);
    assert.doesNotMatch((await runTcplat(["diff", CLIENT_FILE, SERVER_FILE, "-q"])).stdout, /way round/);
  });

  it("takes a filter, ports and one of its files from standard input", async () => {
    const none = await diffJson(CLIENT_FILE, SERVER_FILE, ["tcp", "port", "7000"]);
    assert.deepEqual([none.requests.length, none.summary.clock], [0, null]);
    const input = captureOf(atServer(TALK.segments, SERVER, WAY));
    const piped = await runTcplat(["diff", CLIENT_FILE, "-", "-q", "-p", "redis:6379"], { input });
    assert.match(piped.stdout, /^joined +40 requests/m);
  });

  it("finds with --vlan what one host has behind a tag, which a plain filter does not match", async () => {
    const wire = { ...ETHERNET, vlanTags: [0x8100] };
    const tagged = fileOf("tagged.pcap", captureOf(atServer(TALK.segments, SERVER, WAY), wire));
    const filter = ["tcp", "port", "6379"];
    const plain = await diffJson(CLIENT_FILE, tagged, filter);
    assert.deepEqual(
      [plain.summary.joined, plain.summary.client.requests, plain.summary.server.requests],
      [0, REQUESTS, 0],
    );
    assertShares(await diffJson(CLIENT_FILE, tagged, ["--vlan", ...filter]), ALL);
  });

  it("compares what stands before a fault of a file, and then tells the fault", async () => {
    const segments = atServer(TALK.segments, SERVER, WAY).slice(0, 3 + 3 * 10);
    // A frame of 4 GB.
    const fault = Buffer.alloc(16, 0xff);
    const broken = fileOf("broken.pcap", Buffer.concat([captureOf(segments), fault]));
    const told = await diffJson(CLIENT_FILE, broken);
    assertShares(told, ALL.slice(0, 10));
    assert.deepEqual([told.status, told.summary.only_client.outside], [1, REQUESTS - 10]);
    assert.match(told.stderr, /broken\.pcap cannot be read further/);
  });

  for (const [words, sentence] of [
    [["diff"], /diff compares two files/],
    [["diff", CLIENT_FILE], /diff compares two files/],
    [["diff", "-", "-"], /not both/],
    [["diff", CLIENT_FILE, "/nowhere/x.pcap"], /\/nowhere\/x\.pcap: no such file/],
    [["diff", CLIENT_FILE, SERVER_FILE, "-i", "lo"], /--interface has no meaning for diff/],
    [["diff", CLIENT_FILE, SERVER_FILE, "tcp", "prot", "1"], /filter|syntax/],
    [["diff", CLIENT_FILE, fileOf("text.pcap", "hello")], /cannot be read as a capture file/],
  ] as const) {
    it(`refuses in one line: tcplat ${words.slice(0, 2).join(" ").slice(0, 4)} … ${sentence.source}`, async () => {
      const { status, stderr, stdout } = await runTcplat(words);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, sentence);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
    });
  }

  it("shows nothing from the wire that a terminal would obey", async () => {
    const dialogue = new Dialogue();
    dialogue.open();
    dialogue.client(1000, "*2\r\n$3\r\nGET\r\n$7\r\n\u001b[31m\r\n\r\n");
    dialogue.server(1900, "$-1\r\n");
    const file = fileOf("hostile.pcap", captureOf(dialogue.segments));
    const { stdout } = await runTcplat(["diff", file, file]);
    assert.match(stdout, /GET \\x1b\[31m\\x0d\\x0a$/m);
    assert.match(stdout, /^[\x20-\x7e±µ\n]*$/);
  });
});

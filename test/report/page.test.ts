import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { ReportCollector } from "../../src/report/collector.ts";
import { LOSSES } from "../../src/report/loss-words.ts";
import { reportPage } from "../../src/report/page.ts";
import type { ReportView } from "../../src/report/view.ts";
import { Flag, UNANSWERED_REASONS, UNMATCHED_REASONS } from "../../src/transactions/transaction.ts";
import { BLPOP, GET, SERVER, START_US, stages, tell, transaction } from "../aggregate/fixtures.ts";
import { type Element, elements, parseStrictly } from "./strict-html.ts";

type Told = NonNullable<Parameters<typeof transaction>[0]>;

/** What a run that has told these transactions knows. */
function view(told: readonly Told[], changes: Partial<ReportView> = {}): ReportView {
  const collector = new ReportCollector();
  const aggregate = new Aggregate({ thresholdUs: null, outputs: [], observer: collector });
  for (const changesOfOne of told) {
    const each = transaction(changesOfOne);
    aggregate.service(each.server, each.protocol).requested(each.commandId, each.requestBytes, true, 1);
    tell(aggregate, each);
  }
  const about = { isLive: true, hasGoodClock: true, filter: "", version: "0.0.0" };
  return { snapshot: aggregate.snapshot(stages()), collected: collector.collected, ...about, ...changes };
}

const SOME: readonly Told[] = [
  ...Array.from(
    { length: 200 },
    (_, i): Told => ({ latencyUs: 100 + i * 10, startUs: START_US + i * 50_000, commandId: GET }),
  ),
  { latencyUs: 200_500, retransmissions: 1, flags: Flag.retransmission },
  { class: TransactionClass.blocking, commandId: BLPOP, latencyUs: 3_000_000 },
  { unanswered: "timeout", waitedUs: 60_000_000 },
  { errorId: 2, latencyUs: 50 },
  { latencyUs: 900, server: { id: 2, text: "[2001:db8::1]:6379" }, serverEndpoint: { text: "[2001:db8::1]:6379" } },
];

function page(told: readonly Told[] = SOME, changes: Partial<ReportView> = {}): Element {
  return parseStrictly(reportPage(view(told, changes)));
}

const named =
  (name: string) =>
  (element: Element): boolean =>
    element.name === name;

describe("a report's page", () => {
  test("is well-formed, and the same each time", () => {
    assert.equal(reportPage(view(SOME)), reportPage(view(SOME)));
    const ids = elements(page(), (element) => "id" in element.attributes).map((element) => element.attributes.id);
    assert.ok(ids.includes("losses") && ids.includes("slowest") && ids.includes("commands") && ids.includes("heatmap"));
    assert.equal(new Set(ids).size, ids.length);
  });

  test("is a page, too, where nothing was seen", () => {
    assert.match(elements(page([]), named("h1"))[0]!.text, /No request was seen/);
  });

  test("loads nothing: no address, no script or style but its own, whose hashes its policy names", () => {
    const text = reportPage(view(SOME));
    assert.doesNotMatch(text, /https?:|\bsrc=|@import|url\(|<link|<img|<iframe|\bon\w+=|\bstyle="/i);
    const root = parseStrictly(text);
    const policy = elements(root, (element) => element.attributes["http-equiv"] === "Content-Security-Policy");
    const content = policy[0]!.attributes.content!;
    assert.match(content, /^default-src 'none';/);
    for (const name of ["script", "style"]) {
      const found = elements(root, named(name));
      assert.equal(found.length, 1);
      const hash = createHash("sha256").update(found[0]!.text).digest("base64");
      assert.ok(content.includes(`${name}-src 'sha256-${hash}'`), name);
    }
    const links = elements(root, (element) => "href" in element.attributes).map((element) => element.attributes.href!);
    assert.ok(links.every((link) => link.startsWith("#")));
  });

  const HOSTILE = [
    "<script>alert(1)</script>",
    `"><img src=x onerror=alert(1)>`,
    "' onmouseover='alert(1)",
    "</style></script><!--",
    "&lt;b&gt;&amp;",
    "\x00\x1b[31m\r\n\x7f\xff\xe2\x80\xae",
    "`;}{$&$1\\$`",
  ];
  for (const key of HOSTILE) {
    test(`shows the key ${JSON.stringify(key)} as text`, () => {
      const text = reportPage(view([{ words: `set ${key}`, key }]));
      const codes = elements(parseStrictly(text), named("code")).map((code) => code.text);
      const shown = Array.from(Buffer.from(`set ${key}`, "latin1"), (byte) => {
        return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
      }).join("");
      assert.ok(codes.includes(shown), codes.join("\n"));
      assert.equal(text.split("<script").length, 2);
    });
  }

  test("holds whatever bytes a key, a filter and a file's name may have", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: "binary", maxLength: 40 }), (bytes, name) => {
        const seen = view([{ words: bytes }], { filter: name });
        const { stages: all } = seen.snapshot;
        const snapshot = { ...seen.snapshot, stages: { ...all, capture: { ...all.capture, interface: name } } };
        const text = reportPage({ ...seen, snapshot });
        parseStrictly(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what may not be there.
        assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      }),
      { numRuns: 50 },
    );
  });

  test("has the numbers of the run's snapshot", () => {
    const of = view(SOME);
    const root = parseStrictly(reportPage(of));
    const [commands] = elements(root, (element) => element.attributes.id === "commands");
    const rows = elements(commands!, named("tr")).map((row) => row.children.map((cell) => cell.text));
    for (const { server, services } of of.snapshot.servers) {
      for (const { protocol, commands: all } of services) {
        for (const { command, classes } of all) {
          for (const { class: name, ok, errors, latency } of classes) {
            const times = [latency.p50Us, latency.p90Us, latency.p99Us, latency.p999Us, latency.maxUs];
            const expected = [
              name === "normal" ? command : `${command} (${name})`,
              ...[server.text, protocol, `${ok + errors}`, `${errors}`],
              ...times.map((us) => (Math.round(us) / 1000).toFixed(3)),
              (latency.sumUs / 1e6).toFixed(3),
            ];
            assert.ok(
              rows.some((row) => row.join() === expected.join()),
              expected.join(),
            );
          }
        }
      }
    }
    const maps = elements(root, (element) => element.attributes.class === "map");
    const drawn = maps.map((map) => sumOfCells(map.attributes["data-cells"]!));
    const counted = of.snapshot.servers.map(({ latency }) => latency.count);
    assert.deepEqual(drawn.map(([requests]) => requests).sort(), counted.sort());
    assert.equal(
      drawn.reduce((all, [, unanswered]) => all + unanswered!, 0),
      1,
    );
  });

  test("marks when requests were given up, in the column of that moment", () => {
    const lost: Told = { unanswered: "timeout", waitedUs: 2_000_000 };
    const answered: Told = { latencyUs: 500, startUs: START_US + 4_000_000, endUs: START_US + 4_000_500 };
    const strips = (told: readonly Told[]): Element[] =>
      elements(page(told), ({ name, attributes }) => name === "svg" && attributes.class === "strip");
    assert.deepEqual(strips([answered]), []);
    const [strip, ...others] = strips([{ latencyUs: 500 }, lost, answered]);
    assert.deepEqual(others, []);
    const columns = Number(strip!.attributes.viewBox!.split(" ")[2]);
    const [, at, ...more] = elements(strip!, named("path"))[0]!.attributes.d!.split("M");
    assert.deepEqual(more, []);
    // Half of the way from the first end to the last.
    assert.ok(Math.abs(Number.parseInt(at!, 10) / columns - 0.5) < 0.02, `${at} of ${columns}`);
  });

  test("has the three sums, a line each", () => {
    const [sums] = elements(page(), named("pre"));
    assert.equal(
      sums!.text,
      [
        "frames    10 = 7 decoded + 3 skipped",
        "requests  205 = 204 answered + 0 no reply + 0 pending + 1 unanswered",
        "responses 204 = 204 matched + 0 unmatched + 0 pushes",
      ].join("\n"),
    );
  });

  test("lists the slowest with what their time went to, and what is doubtful about them", () => {
    const [slowest] = elements(page(), (element) => element.attributes.id === "slowest");
    const [first] = elements(slowest!, named("tbody"))[0]!.children;
    assert.match(first!.text, /200\.500 ms.*wait 200\.500 ms.*set foo.*1 retransmission/);
    assert.doesNotMatch(slowest!.text, /3000\.000/);
  });

  test("says the cause where it was measured", () => {
    const of = view(SOME);
    const shares = { send: 0, queue: 41_200, retransmission: 0, network: 90, server: 400, receive: 0 };
    const behind = { id: "17-203", command: "<KEYS>", us: 41_200, elsewhere: false };
    const verdict = { cause: "queue", causeUs: 41_200, shares, rttUs: 90, zeroWindowUs: 0, behind };
    const slowest = of.collected.slowest.map((request) => ({ ...request, verdict }));
    const root = parseStrictly(reportPage({ ...of, collected: { ...of.collected, slowest } }));
    assert.match(root.text, /Main causequeue/);
    assert.match(root.text, /queue 41\.200, network 0\.090, server 0\.400 ms/);
    assert.match(root.text, /queue 41\.200 msbehind <KEYS> \(17-203\) for 41\.200 ms; round trip 0\.090 ms/);
    const away = slowest.map((request) => ({
      ...request,
      verdict: { ...verdict, behind: { ...behind, elsewhere: true } },
    }));
    const other = parseStrictly(reportPage({ ...of, collected: { ...of.collected, slowest: away } }));
    assert.match(other.text, /behind <KEYS> \(17-203, another connection\) for 41\.200 ms/);
  });

  test("names the cause that took most of the time, however many quick requests had another", () => {
    const of = view(SOME);
    const [request] = of.collected.slowest;
    const none = { send: 0, queue: 0, retransmission: 0, network: 0, server: 0, receive: 0 };
    const rest = { rttUs: 90, zeroWindowUs: 0, behind: null };
    const slow = {
      ...request!,
      latencyUs: 2_000_000,
      responseBytes: 30_000_013,
      verdict: {
        ...rest,
        cause: "receive",
        causeUs: 1_900_000,
        shares: { ...none, server: 100_000, receive: 1_900_000 },
      },
    };
    const quick = {
      ...request!,
      latencyUs: 100,
      responseBytes: 99_999,
      verdict: { ...rest, cause: "network", causeUs: 100, shares: { ...none, network: 100 } },
    };
    const slowest = [slow, ...Array.from({ length: 50 }, () => quick)];
    const root = parseStrictly(reportPage({ ...of, collected: { ...of.collected, slowest } }));
    assert.match(root.text, /Main causereceive95\u00a0% of the time of the 51 slowest, in 1 of them/);
    assert.deepEqual(root.text.match(/[0-9.]+ MB \w+/g), ["30.0 MB down"]);
  });

  test("has no row for the round trips of connections whose server is not known", () => {
    const of = view(SOME);
    const [known] = of.snapshot.servers;
    const other = { ...known!, server: { id: 0, text: "other" }, services: [] };
    const rows = (servers: typeof of.snapshot.servers) =>
      elements(parseStrictly(reportPage({ ...of, snapshot: { ...of.snapshot, servers } })), ({ name }) => name === "tr")
        .length;
    assert.equal(rows([other, ...of.snapshot.servers]), rows(of.snapshot.servers));
  });

  test("says first what makes all of it doubtful", () => {
    const [mind] = elements(page(), (element) => element.attributes.class === "trust warn");
    assert.match(mind!.text, /4 frames dropped by the kernel.*3 holes in connections/);
    const late = page(SOME, { hasGoodClock: false });
    assert.match(late.text, /not by the kernel: short latencies are wrong/);
  });
});

test("every way in which a request or response is lost has its words", () => {
  const { snapshot } = view(SOME);
  const [server] = snapshot.servers;
  const [service] = server!.services;
  const before = LOSSES.map((loss) => loss.count(snapshot));
  for (const [kind, reasons] of [
    ["unanswered", UNANSWERED_REASONS],
    ["unmatched", UNMATCHED_REASONS],
  ] as const) {
    for (const reason of reasons) {
      const more = { ...service!, [kind]: { ...service![kind], [reason]: 1000 } };
      const changed = { ...snapshot, servers: [{ ...server!, services: [more] }] };
      assert.ok(
        LOSSES.some((loss, index) => loss.count(changed) >= before[index]! + 900),
        `${kind} ${reason}`,
      );
    }
  }
  assert.equal(server!.server.text, SERVER.text);
});

/** Requests and unanswered ones in a map's data: `column unanswered row count …;…`. */
function sumOfCells(data: string): [number, number] {
  let requests = 0;
  let unanswered = 0;
  for (const [, lost = 0, ...cells] of data.split(";").map((part) => part.split(" ").map(Number))) {
    unanswered += lost;
    for (let i = 1; i < cells.length; i += 2) requests += cells[i]!;
  }
  return [requests, unanswered];
}

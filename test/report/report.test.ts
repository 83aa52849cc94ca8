import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { TcplatError } from "../../src/errors.ts";
import { parseCommandLine } from "../../src/options/parse.ts";
import type { Options } from "../../src/options.ts";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, frameOf } from "../support/segments.ts";
import { missingProgram, startRedis, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat } from "../support/tcplat.ts";
import { elements, parseStrictly } from "./strict-html.ts";

const { folder, remove } = temporaryFolder();
after(remove);

const HOSTILE_KEY = "</title><script>document.title='owned'</script>";
const capture = join(folder, "capture.pcap");
writeFileSync(capture, pcapFile(frames()));

/** A connection: AUTH, a hostile key answered after 0.5 ms, a pipeline, and a request that is never answered. */
function frames() {
  const talk = new Dialogue();
  talk.open();
  talk.client(1000, resp("AUTH", "secret-password"));
  talk.server(1200, "+OK\r\n");
  talk.client(2000, resp("GET", HOSTILE_KEY));
  talk.server(2500, "$-1\r\n");
  talk.client(3000, resp("KEYS", "*") + resp("GET", "b"));
  talk.server(43_000, "*0\r\n$-1\r\n");
  talk.client(50_000, resp("GET", "never"));
  talk.fin("client", 60_000);
  return talk.segments.map((segment) => ({
    seconds: Math.floor(segment.timeUs / 1e6),
    nanoseconds: (segment.timeUs % 1e6) * 1000,
    bytes: frameOf(segment),
  }));
}

function page(file: string): string {
  return readFileSync(file, "utf8");
}

describe("tcplat report", () => {
  test("writes a page of a file, prints no transaction, and escapes and redacts what came from the wire", async () => {
    const file = join(folder, "file.html");
    const run = await runTcplat(["report", "-r", capture, "-o", file]);
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stdout, "");
    assert.match(run.stderr, new RegExp(`^tcplat: the report is in ${file}$`, "m"));
    const text = page(file);
    const codes = elements(parseStrictly(text), (element) => element.name === "code").map((code) => code.text);
    assert.deepEqual(codes, ["KEYS *", "GET b", `GET ${HOSTILE_KEY}`, "GET never"]);
    assert.doesNotMatch(text, /secret-password/);
  });

  test("takes a filter, and says the same bytes each time", async () => {
    const file = join(folder, "filtered.html");
    const words = ["report", "-r", capture, "-o", file, "tcp", "port", "6379"];
    await runTcplat(words);
    const first = page(file);
    assert.match(first, /filter <code>tcp port 6379<\/code>/);
    await runTcplat(words);
    assert.ok(page(file) === first);
  });

  test("changes nothing of what a run prints with --report, not even with -t", async () => {
    const file = join(folder, "beside.html");
    const plain = await runTcplat(["-r", capture, "--json", "-t", "10"]);
    const reported = await runTcplat(["-r", capture, "--json", "-t", "10", "--report", file]);
    assert.equal(reported.stdout, plain.stdout);
    assert.match(page(file), /GET &lt;/);
  });

  test("refuses before anything is read what cannot be written", async () => {
    const run = await runTcplat(["-r", capture, "--report", join(folder, "missing", "page.html")]);
    assert.equal(run.status, 2);
    assert.equal(run.stdout, "");
    assert.match(run.stderr, /^tcplat: the report .*page\.html cannot be written: ENOENT.*\n$/);
  });

  test("writes what was read of a file that is cut", async () => {
    const cut = join(folder, "cut.pcap");
    writeFileSync(cut, readFileSync(capture).subarray(0, -30));
    const file = join(folder, "cut.html");
    await runTcplat(["report", "-r", cut, "-o", file]);
    assert.match(page(file), /KEYS \*/);
  });
});

const REFUSED: readonly [string, RegExp][] = [
  ["report -r a.pcap", /name its file, as in tcplat report -r FILE -o FILE\.html/],
  ["report -o a.html tcp port 6379", /report reads a file: name it, .* a live run has --report FILE\.html/],
  ["report -r a.pcap -o -", /standard output carries the transactions/],
  ["-r a.pcap --report a.pcap", /it is the file of --read/],
  ["-w b.pcap -o ./b.pcap", /it is the file of --write/],
];
for (const [line, message] of REFUSED) {
  test(`refuses: tcplat ${line}`, () => {
    assert.throws(
      () => options(line),
      (error) => error instanceof TcplatError && error.exitStatus === 2 && message.test(error.message),
    );
  });
}

test("report is a word of its own only at the beginning of a filter", () => {
  const told = ({ report, quiet, filter }: Options) => [report, quiet, filter];
  assert.deepEqual(told(options("report -r a -o b.html")), ["b.html", true, ""]);
  assert.deepEqual(told(options("report -r a -o b.html port 1")), ["b.html", true, "port 1"]);
  assert.deepEqual(told(options("-o b.html host report")), ["b.html", false, "host report"]);
  assert.deepEqual(told(options("reporter")), [null, false, "reporter"]);
});

function options(line: string): Options {
  const surroundings = { protocols: ["redis"], env: {}, readConfig: () => new Map() };
  const invocation = parseCommandLine(line.split(" "), surroundings);
  assert.ok(invocation.kind === "run");
  return invocation.options;
}

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

test("a live run writes its page on SIGUSR1 and at the end, also with -q", { skip }, async () => {
  const redis = await startRedis();
  const file = join(folder, "live.html");
  try {
    const words = ["-i", "lo", ...NO_PORTS, "--report", file];
    const tcplat = await Tcplat.capturing([...words, "-q", "tcp", "port", `${redis.port}`]);
    const watcher = await Tcplat.capturing(["-i", "lo", ...NO_PORTS, "--json", "tcp", "port", `${redis.port}`]);
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.send(resp("SET", "first:key", "x"), 1);
    await watcher.transactions(1);
    // The other one sees the same frames some milliseconds earlier or later: asked again until it has told them.
    const isThere = () => existsSync(file) && page(file).includes("first:key");
    await tcplat.askUntil("the page has the first request", isThere);
    await client.send(resp("GET", "second:key"), 1);
    await client.close();
    await watcher.stop();
    assert.equal((await tcplat.stop()).status, 0, tcplat.stderr);
    const text = page(file);
    assert.match(text, /first:key/);
    assert.match(text, /second:key/);
    assert.match(text, /captured on <b>lo<\/b>/);
    parseStrictly(text);
  } finally {
    await redis.stop();
  }
});

const chromium = missingProgram("chromium") === null ? "chromium" : null;

describe("a browser", { skip: chromium === null ? "chromium is not installed" : false }, () => {
  test("runs the page's script and nothing else, and complains of nothing", async () => {
    const file = join(folder, "browser.html");
    await runTcplat(["report", "-r", capture, "-o", file]);
    const { dom, log } = browse(file);
    assert.match(dom, /<title>tcplat: /);
    assert.doesNotMatch(log, /CONSOLE|Refused|Uncaught/);
  });

  test("sorts by a pressed heading, and tells a cell's numbers", async () => {
    const file = join(folder, "pressed.html");
    await runTcplat(["report", "-r", capture, "-o", file]);
    // Without the policy, so that a script of the test's can press.
    const driven = page(file)
      .replace(/<meta http-equiv[^>]*>/, "")
      .replace("</body>", `<script>${PRESS}</script></body>`);
    writeFileSync(file, driven);
    const { dom } = browse(file);
    const [commands] = /<section id="commands">.*?<\/section>/s.exec(dom) ?? [""];
    assert.deepEqual(
      [...commands.matchAll(/<th scope="row">(.*?)<\/th>/g)].map(([, name]) => name),
      ["AUTH (connect)", "GET", "KEYS"],
    );
    assert.match(
      dom,
      /<div id="tip"[^>]*>\d\d:\d\d:\d\d\.\d+ to .*\n.* to .* ms: 2 requests\nat this time: 2 requests<\/div>/,
    );
  });
});

/** Sorts by command, upwards, and moves over the cell of the slowest. */
const PRESS = `
document.querySelector("#commands button").click();
const map = document.querySelector("svg.map");
const cell = map.querySelector("path.h9");
const [, x, y] = /M(\\d+) (\\d+)/.exec(cell.getAttribute("d"));
const box = map.getBoundingClientRect();
const { width, height } = map.viewBox.baseVal;
map.dispatchEvent(new PointerEvent("pointermove", {
  clientX: box.left + (Number(x) + 0.5) * box.width / width,
  clientY: box.top + (Number(y) + 0.5) * box.height / height,
}));`;

function browse(file: string): { readonly dom: string; readonly log: string } {
  const words = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"];
  const profile = `--user-data-dir=${join(folder, "profile")}`;
  const { stdout, stderr } = spawnSync(chromium!, [...words, profile, `file://${file}`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.ok(statSync(file).size > 0 && stdout.includes("</html>"), stderr);
  return { dom: stdout, log: stderr };
}

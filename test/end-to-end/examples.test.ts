import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it, test } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, frameOf, sentAgain } from "../support/segments.ts";
import { freePort, missingProgram, startDnsmasq, startRedis, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, type RunOptions, runTcplat, Tcplat } from "../support/tcplat.ts";

const { folder, remove } = temporaryFolder();
after(remove);

/** What an example prints of a file, and nothing else. */
async function printed(example: string, file: string, words: readonly string[] = [], options: RunOptions = {}) {
  const run = await runTcplat(["-r", file, "-q", ...words, "-S", join("examples", example)], options);
  assert.equal(run.status, 0, run.stderr);
  assert.doesNotMatch(run.stderr, /--script/);
  return run.lines;
}

/** What of examples/ has been run. */
const isRun = new Set<string>();
function example(name: string, what: string, body: () => Promise<void>): void {
  isRun.add(name);
  it(`${name} ${what}`, body);
}

const skipRedis = captureObstacle() ?? missingProgram("redis-server") ?? false;

describe("of a Redis and its clients", { skip: skipRedis }, () => {
  const file = join(folder, "redis.pcap");
  let port = 0;
  let refusingPort = 0;
  let client = "";

  before(async () => {
    const redis = await startRedis();
    port = redis.port;
    refusingPort = await freePort();
    const filter = ["tcp", "port", `${port}`, "or", "tcp", "port", `${refusingPort}`];
    const tcplat = await Tcplat.capturing(["-i", "lo", ...NO_PORTS, "--json", "-w", file, ...filter]);
    const raw = await RawClient.connect(port, respReplyEnd);
    client = raw.endpoint;
    await raw.ask(resp("SET", "large", "x".repeat(20_000)));
    for (let i = 0; i < 3; i++) await raw.ask(resp("GET", "large"));
    await raw.ask(resp("SET", "small", "y"));
    // Slower than what a busy machine makes of the others.
    await raw.ask(resp("DEBUG", "SLEEP", "0.3"));
    await raw.ask(resp("DEBUG", "SLEEP", "0.5"));
    await raw.close();
    await once(connect(refusingPort, "127.0.0.1"), "error");
    await tcplat.transactions(7);
    await tcplat.stop();
    await redis.stop();
  });

  example("print-packets.lua", "prints what the packets carry, each byte of it visible", async () => {
    const lines = await printed("print-packets.lua", file);
    const set = lines.find((line) => line.includes("small") && line.includes("SET")) ?? "";
    const bytes = resp("SET", "small", "y").replaceAll("\r", "\\013").replaceAll("\n", "\\010");
    assert.match(set, /^\d\d:\d\d:\d\d\.\d{6} 127\.0\.0\.1:\d+ > 127\.0\.0\.1:\d+ seq \d+, 31 bytes: /);
    assert.ok(set.endsWith(bytes), set);
    assert.ok(set.includes(`${client} > 127.0.0.1:${port}`), set);
  });

  example("connect-time.lua", "tells of a connection that was made, and of one refused", async () => {
    const lines = await printed("connect-time.lua", file);
    assert.equal(lines.length, 2, lines.join("\n"));
    assert.match(lines[0]!, new RegExp(`${client} => 127\\.0\\.0\\.1:${port} connected in \\d+\\.\\d{3} ms$`));
    assert.match(lines[1]!, new RegExp(`=> 127\\.0\\.0\\.1:${refusingPort} refused after \\d+\\.\\d{3} ms$`));
  });

  example("connect-time.mjs", "adds them up by server", async () => {
    const lines = await printed("connect-time.mjs", file);
    assert.match(lines[0]!, new RegExp(`:${port}: 1 connections, .* ms at most; 0 refused, 0 SYNs sent again$`));
    assert.match(lines[1]!, new RegExp(`:${refusingPort}: 0 connections; 1 refused, 0 SYNs sent again$`));
  });

  example("top-keys.mjs", "puts the keys in the order of their bytes", async () => {
    const lines = await printed("top-keys.mjs", file);
    const rows = lines.slice(1).map((line) => line.trim().split(/\s+/));
    assert.deepEqual(rows.map((cells) => cells.slice(1)).slice(0, 2), [
      ["4", `127.0.0.1:${port}`, "large"],
      ["1", `127.0.0.1:${port}`, "small"],
    ]);
    assert.ok(Number(rows[0]![0]) > 80_000);
  });

  example("slow-by-client.mjs", "names the clients of slow requests, and why they were slow", async () => {
    const lines = await printed("slow-by-client.mjs", file, ["-t", "250"]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^127\.0\.0\.1: 2 requests \(server 2\); worst \d{3,}\.\d{3} ms: DEBUG SLEEP/);
  });

  example("webhook-alert.mjs", "tells at once, then once more at the end", async () => {
    const bodies: string[] = [];
    const hook = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += String(chunk);
      });
      request.on("end", () => {
        bodies.push(body);
        response.end();
      });
    });
    hook.listen(0, "127.0.0.1");
    await once(hook, "listening");
    const env = { WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, ALERT_SECONDS: "3600" };
    try {
      await printed("webhook-alert.mjs", file, ["-t", "250"], { env });
    } finally {
      hook.close();
      hook.closeAllConnections();
    }
    const texts = bodies.map((body) => String(JSON.parse(body).text)).sort();
    assert.equal(texts.length, 2);
    assert.match(texts[0]!, /^1 slow requests; the worst: DEBUG SLEEP \S* ?of \S+ at \S+ took \d{3,}(\.\d+)? ms/);
  });
});

const skipDns = captureObstacle() ?? missingProgram("dnsmasq") ?? false;

describe("of a DNS server and its client", { skip: skipDns }, () => {
  const file = join(folder, "dns.pcap");
  let port = 0;

  before(async () => {
    const server = await startDnsmasq();
    port = server.port;
    const tcplat = await Tcplat.capturing(["-i", "lo", ...NO_PORTS, "-w", file, "-c", "6", "udp", "port", `${port}`]);
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${port}`]);
    await resolver.resolve4("www.example.test");
    await resolver.resolve4("other.example.test");
    await assert.rejects(resolver.resolve4("nobody.knows"));
    await tcplat.ended();
    await server.stop();
  });

  example("dns-latency.lua", "tells how long each query took", async () => {
    const lines = await printed("dns-latency.lua", file);
    assert.equal(lines.length, 3, lines.join("\n"));
    const clock = String.raw`^\d\d:\d\d:\d\d\.\d{6} \d+\.\d{3} ms`;
    const server = String.raw`from 127\.0\.0\.1#${port}`;
    assert.match(lines[0]!, new RegExp(String.raw`${clock} A www\.example\.test ${server}: ok$`));
    assert.match(lines[2]!, new RegExp(String.raw`${clock} A nobody\.knows ${server}: REFUSED$`));
  });

  example("dns-latency.mjs", "adds them up by server", async () => {
    const lines = await printed("dns-latency.mjs", file);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, new RegExp(`^127\\.0\\.0\\.1:${port}: 3 answers, 1 errors, .* ms at most$`));
  });
});

describe("of a SYN that was sent three times", () => {
  const file = join(folder, "syn.pcap");
  const dialogue = new Dialogue();
  const syn = dialogue.syn(0);
  dialogue.synAck(3_100_000);
  const [, synAck] = dialogue.segments;
  const segments = [syn, sentAgain(syn, 1_000_000), sentAgain(syn, 3_000_000), synAck!];
  const frames = segments.map((segment) => ({
    seconds: Math.floor(segment.timeUs / 1e6),
    nanoseconds: (segment.timeUs % 1e6) * 1000,
    bytes: frameOf(segment),
  }));
  before(() => writeFileSync(file, pcapFile(frames)));

  it("connect-time.lua tells the time since the first, and how many there were", async () => {
    const lines = await printed("connect-time.lua", file);
    assert.deepEqual(
      lines.map((line) => line.replace(/^\S+ /, "")),
      ["10.0.0.1:40001 => 10.0.0.2:6379 connected in 3100.000 ms, SYN sent 3 times"],
    );
  });

  it("connect-time.mjs does so, too", async () => {
    const [line] = await printed("connect-time.mjs", file);
    assert.equal(
      line,
      "10.0.0.2:6379: 1 connections, 3100.000 ms in the mean, 3100.000 ms at most; 0 refused, 2 SYNs sent again",
    );
  });
});

test("every example is run here", { skip: skipRedis || skipDns }, () => {
  assert.deepEqual([...isRun].sort(), readdirSync("examples").sort());
});

test("the examples agree with the types that are shipped", () => {
  const modules = readdirSync("examples").filter((name) => name.endsWith(".mjs"));
  const settings = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--skipLibCheck", "--ignoreConfig"];
  const targets = ["--target", "es2023", "--module", "nodenext", "--types", "node"];
  const tsc = join("node_modules", "typescript", "bin", "tsc");
  const files = modules.map((name) => join("examples", name));
  const result = spawnSync(process.execPath, [tsc, ...settings, ...targets, ...files], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stdout + result.stderr);
});

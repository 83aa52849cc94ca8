import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startRedis, temporaryFolder } from "../support/servers.ts";
import { CLI, NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";
import { Terminal } from "../support/terminal.ts";
import { inCalm } from "../support/tries.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

const { folder, remove } = temporaryFolder();
let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(async () => {
  await redis?.stop();
  remove();
});

function words(...more: readonly string[]): string[] {
  return ["-i", "lo", ...NO_PORTS, ...more, "tcp", "port", `${redis.port}`];
}

async function ask(count: number): Promise<void> {
  const client = await RawClient.connect(redis.port, respReplyEnd);
  for (let i = 0; i < count; i++) await client.ask(resp("PING"));
  await client.close();
}

describe("signals to a live capture", { skip }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`${signal} ends it with the summary and status 0, and what came just before is not lost`, async () => {
      const tcplat = await Tcplat.capturing(words("--json"));
      const client = await RawClient.connect(redis.port, respReplyEnd);
      await client.send(resp("PING").repeat(200), 200);
      assert.deepEqual(await tcplat.stop(signal), { status: 0, signal: null });
      assert.equal(tcplat.records.length, 200);
      assert.equal(total(tcplat.summary, "requests"), 200);
      assert.deepEqual(violations(tcplat.summary), []);
      assert.equal(JSON.parse(tcplat.lines.at(-1)!).type, "summary", "the last line");
      await client.close();
    });
  }

  it("a request that waits when the capture ends is unanswered, reason end", async () => {
    const tcplat = await Tcplat.capturing(words("--json"));
    const client = await RawClient.connect(redis.port, respReplyEnd);
    client.socket.write(resp("BLPOP", "nosuch", "0"));
    await ask(1);
    await tcplat.transactions(1);
    await tcplat.stop();
    const [, waiting] = tcplat.records;
    assert.deepEqual([waiting!.command, waiting!.status, waiting!.error], ["BLPOP", "unanswered", "end"]);
    assert.deepEqual([waiting!.end, waiting!.latency_us, waiting!.wait_us], [null, null, null]);
    assert.equal(tcplat.summary["unanswered_requests.redis.end"], 1);
    assert.deepEqual(violations(tcplat.summary), []);
    client.socket.destroy();
  });

  it("a second signal ends it at once, while the first one waits for a reader of its lines", () =>
    inCalm(async () => {
      const tcplat = await Tcplat.capturing(words(), { isUnread: true });
      const client = await RawClient.connect(redis.port, respReplyEnd);
      await client.send(resp("PING").repeat(5000), 5000);
      tcplat.child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 700));
      assert.equal(tcplat.child.exitCode, null, "still waiting for the reader");
      assert.deepEqual(await tcplat.stop("SIGINT"), { status: 0, signal: null });
      assert.doesNotMatch(tcplat.stderr, /was read too slowly|^requests /m, "it did not wait to the end");
      await client.close();
    }));

  it("a reader that takes nothing more is waited for a moment; what it missed is said, the summary of --json included", async () => {
    const tcplat = await Tcplat.capturing(words("--json"), { isUnread: true });
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.send(resp("PING").repeat(5000), 5000);
    assert.deepEqual(await tcplat.stop("SIGINT"), { status: 0, signal: null });
    assert.match(tcplat.stderr, /standard output was read too slowly: \d+ records left at the end were not written/);
    assert.match(tcplat.stderr, /requests +5000 = 5000 answered/);
    assert.match(tcplat.stderr, /\d+ records dropped \(stdout \d+\)/);
    await client.close();
  });

  it("a signal that comes twice at once, as from timeout(1), is one: nothing is lost", () =>
    // On a machine that stands still for 50 ms the copy comes as late as a second wish would.
    inCalm(async () => {
      const tcplat = await Tcplat.capturing(words("--json"), { isUnread: true });
      const client = await RawClient.connect(redis.port, respReplyEnd);
      await client.send(resp("PING").repeat(5000), 5000);
      tcplat.child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 50)); // a signal that is still to be taken would swallow its copy
      tcplat.child.kill("SIGINT");
      let text = "";
      tcplat.child.stdout!.on("data", (chunk) => (text += String(chunk)));
      await once(tcplat.child, "close");
      await client.close();
      const lines = text.split("\n").slice(0, -1);
      assert.equal(lines.length, 5001);
      assert.equal(JSON.parse(lines.at(-1)!).type, "summary", "the last line");
    }));

  it("SIGUSR1 prints the summary with the time, opens no inspector, and the capture goes on", async () => {
    const tcplat = await Tcplat.capturing(words("--json"));
    await ask(3);
    await tcplat.transactions(3);
    tcplat.child.kill("SIGUSR1");
    const summary = /^as of +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\nframes .*\n(?:.*\n)*requests +3 = 3 answered/m;
    await until("the summary", () => summary.test(tcplat.stderr));
    assert.doesNotMatch(tcplat.stderr, /Debugger listening/);
    assert.equal(await isListening(9229), false);
    await ask(2);
    await tcplat.transactions(5);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
  });

  it("SIGHUP reopens the file of -w, as logrotate wants", async () => {
    const file = join(folder, "reopened.pcap");
    const tcplat = await Tcplat.capturing(words("--json", "-w", file));
    await ask(3);
    await tcplat.transactions(3);
    renameSync(file, `${file}.1`);
    tcplat.child.kill("SIGHUP");
    await until("the new file", () => existsSync(file));
    await ask(2);
    await tcplat.transactions(5);
    await tcplat.stop();
    const read = await Promise.all([`${file}.1`, file].map((of) => runTcplat(["-r", of, "--json"])));
    assert.deepEqual(
      read.map(({ records }) => records.length),
      [3, 2],
    );
  });
});

describe("a live capture whose terminal is gone", {
  skip: skip === false ? (missingProgram("script") ?? false) : skip,
}, () => {
  for (const [name, more] of [
    ["that prints nothing ends", ["-q"]],
    [
      "ends also where only stderr was that terminal, and what it was about to write is written",
      ["--json", ">", "out.json"],
    ],
  ] as const) {
    it(`${name}, with status 0`, async () => {
      const [file, status] = ["gone.pcap", "status"].map((end) => join(folder, `${more[0]}-${end}`));
      const output = more.map((word) => (word === "out.json" ? `'${join(folder, word)}'` : word)).join(" ");
      const run = `'${process.execPath}' '${CLI}' ${words("-w", file!).join(" ")} ${output}`;
      // The first shell ends with its terminal, the other one stays to see how the run ends.
      const terminal = new Terminal(
        `(trap : HUP; ${run}; echo $? > '${status}.new'; mv '${status}.new' '${status}'); :`,
      );
      await until("tcplat captures", () => terminal.shown.includes("capturing on lo"));
      await ask(3);
      terminal.child.kill("SIGKILL");
      await until("the end", () => existsSync(status!));
      assert.equal(readFileSync(status!, "utf8"), "0\n");
      assert.equal((await runTcplat(["-r", file!, "--json"])).records.length, 3);
      if (more.length === 1) return;
      const told = readFileSync(join(folder, "out.json"), "utf8").trimEnd().split("\n");
      assert.deepEqual([told.length, JSON.parse(told.at(-1)!).type], [4, "summary"]);
    });
  }
});

describe("standard output of a live capture", { skip }, () => {
  it("that is closed ends it quietly, with status 0", async () => {
    const line = `'${process.execPath}' '${CLI}' ${words().join(" ")}; echo "status $?" >&2`;
    const shell = spawn("sh", ["-c", `{ ${line}; } | head -n 1`], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stderr = "";
    shell.stdout.on("data", (chunk) => (output += String(chunk)));
    shell.stderr.on("data", (chunk) => (stderr += String(chunk)));
    await until("tcplat captures", () => /capturing/.test(stderr));
    await ask(1);
    await until("the line", () => output !== "");
    const closed = once(shell, "close");
    while (!/status/.test(stderr)) await ask(1);
    await closed;
    assert.match(output, /^[^\n]+ \| ping\n$/i);
    assert.match(stderr, /^tcplat: capturing [^\n]+\n/);
    assert.match(stderr, /status 0\n$/);
    assert.doesNotMatch(stderr, /EPIPE|Error|bug/);
  });

  it("whose reader stands still: capture and histograms go on, records are dropped and counted", async () => {
    const tcplat = await Tcplat.capturing(words("--json"), { isUnread: true });
    const client = await RawClient.connect(redis.port, respReplyEnd);
    const requests = 60_000;
    for (let sent = 0; sent < requests; sent += 1000)
      await client.send(resp("ECHO", "x".repeat(100)).repeat(1000), 1000);
    const all = new RegExp(`requests +${requests} = ${requests} answered`);
    await tcplat.askUntil("all are counted", (summary) => all.test(summary));
    assert.match(tcplat.stderr, /\d+ records dropped \(stdout \d+\)/);
    let text = "";
    tcplat.child.stdout!.on("data", (chunk) => (text += String(chunk)));
    const closed = once(tcplat.child, "close");
    tcplat.child.kill("SIGINT");
    await closed;
    const lines = text.split("\n").slice(0, -1);
    const summary = JSON.parse(lines.at(-1)!) as Record<string, number>;
    const written = lines.length - 1;
    assert.ok(written > 0 && written < requests, `${written} written of ${requests}`);
    assert.equal(summary["records_dropped.stdout"], requests - written);
    assert.equal(total(summary, "requests"), requests);
    assert.equal(total(summary, "capture_dropped_frames"), 0);
    assert.deepEqual(violations(summary), []);
    await client.close();
  });
});

describe("exit statuses", { skip }, () => {
  it("77, and the command that helps, for a user without the permission", (t) => {
    // A folder that nobody may enter would refuse it for another reason.
    const probe = spawnSync(process.execPath, [CLI, "--version"], { uid: 65534, gid: 65534, encoding: "utf8" });
    if (probe.status !== 0) return t.skip("the program's files cannot be read by another user");
    for (const engine of ["libpcap", "cap"]) {
      const options = { uid: 65534, gid: 65534, encoding: "utf8", timeout: 20_000 } as const;
      const result = spawnSync(process.execPath, [CLI, "-i", "lo", "--engine", engine], options);
      if (/engine does not run/.test(result.stderr)) continue; // cap is not built here
      assert.equal(result.status, 77, result.stderr);
      assert.match(result.stderr, /^tcplat: [^\n]*CAP_NET_RAW[^\n]*setcap[^\n]*\n$/);
      assert.equal(result.stdout, "");
    }
    return undefined;
  });

  it("1, in one line, where the disk is full; the capture's end is told all the same", async (t) => {
    if (!existsSync("/dev/full")) return t.skip("needs /dev/full");
    const shell = `exec '${process.execPath}' '${CLI}' ${words().join(" ")} >/dev/full`;
    const child = spawn("sh", ["-c", shell], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const closed = once(child, "close");
    await until("tcplat captures", () => /capturing/.test(stderr));
    await ask(1);
    const [status] = await closed;
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^tcplat: [^\n]*(no space|ENOSPC)[^\n]*$/im);
    assert.doesNotMatch(stderr, /bug in tcplat/);
    return undefined;
  });

  it("0 with -c, after exactly so many frames", async () => {
    const file = join(folder, "count.pcap");
    const tcplat = await Tcplat.capturing(words("--json", "-c", "7", "-w", file));
    await ask(20);
    assert.deepEqual(await tcplat.ended(), { status: 0, signal: null });
    assert.equal(tcplat.summary["capture_frames.lo"], 7);
    const read = await runTcplat(["-r", file, "--json"]);
    assert.equal(total(read.summary, "capture_frames"), 7);
    assert.equal(readFileSync(file).length > 24, true);
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => resolve(false));
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

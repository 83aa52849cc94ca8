import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { freePort, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat } from "../support/tcplat.ts";

const skip = captureObstacle() ?? false;
const { folder, remove } = temporaryFolder();
after(remove);

const EARLIER = "what an earlier run captured";

/** Runs a live capture that must be refused: one line, this status, and the file of -w as it was. */
async function assertRefused(words: readonly string[], status: number, message: RegExp): Promise<void> {
  const file = join(folder, "earlier.pcap");
  writeFileSync(file, EARLIER);
  const run = await runTcplat(["-w", file, ...words]);
  assert.match(run.stderr, message);
  assert.match(run.stderr, /^tcplat: [^\n]+\n$/, "one line");
  assert.equal(run.stdout, "");
  assert.equal(run.status, status);
  assert.equal(readFileSync(file, "utf8"), EARLIER, "nothing half started");
}

describe("a live capture that cannot be begun is refused in one line, and leaves the file of -w as it was", {
  skip,
}, () => {
  for (const [name, words, status, message] of [
    ["an unknown option", ["--nosuch"], 2, /unknown option --nosuch/],
    ["an option that needs another one", ["-A"], 2, /-A.*-p raw/],
    ["a filter that is none", ["tcp", "prot", "6379"], 2, /"tcp prot 6379".*syntax error/],
    ["a filter of a host without a name", ["host", "nosuch.invalid"], 2, /nosuch\.invalid/],
    ["a time that is none", ["-t", "10 minutes ago"], 2, /--threshold "10 minutes ago"/],
    ["a time below zero", ["-t", "-5"], 2, /-t|--threshold/],
    ["a protocol nobody knows", ["-p", "gopher:70"], 2, /gopher.*the known ones are auto, redis, .* and raw/],
    ["a port that is none", ["-p", "redis:99999"], 2, /99999/],
    ["an interface that is missing", ["-i", "nosuch0"], 2, /nosuch0.*\blo\b/],
    ["an engine nobody knows", ["--engine", "steam"], 2, /steam/],
    ["a snaplen that is none", ["-s", "much"], 2, /much/],
    ["a count that is none", ["-c", "-1"], 2, /-c|--count/],
    ["a server without a port", ["--server", "127.0.0.1"], 2, /--server/],
    ["a stats host that is not ours", ["--stats-host", "192.0.2.1", "-P", "33399"], 1, /192\.0\.2\.1.*--stats-host/],
  ] as const) {
    it(name, () => assertRefused([...defaults(words), ...words], status, message));
  }

  it("a port in use, with the option that names another; the other port is free again", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const other = await freePort();
    await assertRefused(["-i", "lo", "-P", `${port}`, "--metrics-port", "0"], 1, new RegExp(`${port}.*--stats-port`));
    await assertRefused(
      ["-i", "lo", "-P", `${other}`, "--metrics-port", `${port}`],
      1,
      new RegExp(`${port}.*--metrics-port`),
    );
    const free = createServer().listen(other, "127.0.0.1");
    await once(free, "listening");
    free.close();
    holder.close();
  });

  it("a file of -w that cannot be made", async () => {
    const file = join(folder, "nosuch", "capture.pcap");
    const run = await runTcplat(["-i", "lo", ...NO_PORTS, "-w", file]);
    assert.match(run.stderr, /^tcplat: [^\n]*nosuch\/capture\.pcap[^\n]*\n$/);
    assert.ok(run.status === 1 || run.status === 2, `${run.status}`);
    assert.equal(existsSync(file), false);
  });
});

/** What a case does not say itself: loopback, and no ports. */
function defaults(words: readonly string[]): string[] {
  const has = (name: string) => words.includes(name);
  return [...(has("-i") ? [] : ["-i", "lo"]), ...(has("-P") ? [] : ["-P", "0"]), "--metrics-port", "0"];
}

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";
import { medleyFile } from "./medley.ts";

const { folder, remove } = temporaryFolder();
after(remove);

const medley = join(folder, "medley.pcap");
writeFileSync(medley, medleyFile({ seed: 7, connections: 250, lossOf: 60, midstreamOf: 5, pauseUs: 4000 }));
/** So many frames that a signal comes while they are read. */
const long = join(folder, "long.pcap");
{
  const bytes = readFileSync(medley);
  const copies = Array.from({ length: 140 }, () => bytes.subarray(24));
  writeFileSync(long, Buffer.concat([bytes.subarray(0, 24), ...copies]));
}

/** A thread that dies as soon as it is to work, by what is written here in the place of DIE. */
function dying(name: string, die: string): Readonly<Record<string, string>> {
  const file = join(folder, `${name}.cjs`);
  const text = `const { isMainThread, parentPort, workerData } = require("node:worker_threads");
if (!isMainThread && workerData.index === 1) parentPort.on("message", ({ kind }) => { if (kind === "begin") { ${die} } });`;
  writeFileSync(file, text);
  return { NODE_OPTIONS: `--require ${file}` };
}

describe("--workers with a file", () => {
  for (const words of [[], ["--json"], ["-t", "1", "--json", "-c", "2345", "tcp", "port", "6379"]]) {
    it(`prints the same bytes as one worker, and says the same: ${words.join(" ")}`, async () => {
      const run = (workers: string) => runTcplat(["-r", medley, ...words, "--workers", workers]);
      const one = await run("1");
      assert.equal(one.status, 0, one.stderr);
      for (const workers of ["2", "3"]) {
        const more = await run(workers);
        assert.ok(withoutElsewhere(more.stdout) === withoutElsewhere(one.stdout), `${workers} workers: other bytes`);
        assert.equal(more.stderr, one.stderr);
        assert.equal(more.status, 0);
      }
    });
  }

  it("shares --max-connections out: each worker keeps its part, and every request is accounted for", async () => {
    const run = await runTcplat(["-r", medley, "--json", "--max-connections", "20", "--workers", "2"]);
    assert.equal(run.status, 0, run.stderr);
    assert.ok(Number(run.summary.connections_evicted) > 0);
    assert.deepEqual(violations(run.summary), []);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends on ${signal} behind the same frame for all workers, with the summary and status 0`, async () => {
      const tcplat = new Tcplat(["-r", long, "--json", "--workers", "2"]);
      await until("records come", () => tcplat.stdout !== "");
      assert.deepEqual(await tcplat.stop(signal), { status: 0, signal: null });
      const frames = total(tcplat.summary, "capture_frames");
      assert.ok(frames > 0);
      assert.deepEqual(violations(tcplat.summary), []);
      const one = await runTcplat(["-r", long, "--json", "-c", `${frames}`]);
      assert.ok(one.stdout === tcplat.stdout, `other bytes than with -c ${frames}`);
      assert.doesNotMatch(tcplat.stderr, /changed while it was read/);
    });
  }

  it("tells a file that breaks off as one worker does, with status 1", async () => {
    const broken = join(folder, "broken.pcap");
    const bytes = readFileSync(medley);
    bytes.fill(0xff, bytes.length - 5000);
    writeFileSync(broken, bytes);
    const [one, two] = await Promise.all(["1", "2"].map((of) => runTcplat(["-r", broken, "--json", "--workers", of])));
    assert.equal(one!.status, 1);
    assert.deepEqual([two!.status, two!.stderr], [one!.status, one!.stderr]);
    assert.ok(withoutElsewhere(two!.stdout) === withoutElsewhere(one!.stdout));
  });
});

describe("what one worker must do", () => {
  const report = join(folder, "report.html");
  const cases: readonly (readonly [words: readonly string[], because: RegExp])[] = [
    [["-r", medley, "-w", join(folder, "copy.pcap")], /^tcplat: one worker: -w writes the frames in one order$/m],
    [["-r", medley, "--report", report], /^tcplat: one worker: a report looks at all transactions in one order$/m],
    [
      ["-r", medley, "-t", "10", "--dump-slow", join(folder, "slow")],
      /^tcplat: one worker: --dump-slow keeps the frames of all in one order$/m,
    ],
    [["-r", medley, "-p", "raw"], /^tcplat: one worker: -p raw prints the packets in one order$/m],
    [["-r", "-"], /^tcplat: one worker: standard input can be read only once$/m],
  ];
  for (const [words, because] of cases) {
    it(`is done by one, whatever --workers says, and said in a line: ${words.at(-2)}`, async () => {
      const input = words.includes("-") ? { input: readFileSync(medley) } : {};
      const run = await runTcplat([...words, "--workers", "2"], input);
      assert.equal(run.status, 0, run.stderr);
      assert.match(run.stderr, because);
      assert.equal(run.stderr.match(/one worker/g)?.length, 1);
      assert.equal(run.stdout, (await runTcplat(words, input)).stdout);
    });
  }

  it("--max-cpu with a file is refused with workers, too", async () => {
    const run = await runTcplat(["-r", medley, "--max-cpu", "20", "--workers", "2"]);
    assert.equal(run.status, 2);
    assert.match(run.stderr, /^tcplat: --max-cpu 20: [^\n]*\n$/);
  });

  for (const workers of ["0", "two", "1.5", "1000"]) {
    it(`--workers ${workers} is refused in a line`, async () => {
      const run = await runTcplat(["-r", medley, "--workers", workers]);
      assert.equal(run.status, 2);
      assert.match(run.stderr, /^tcplat: --workers [^\n]*\n$/);
    });
  }
});

describe("a worker that dies", () => {
  const deaths: readonly (readonly [how: string, die: string, says: RegExp])[] = [
    ["ends", "process.exit(7)", /^tcplat: worker 2 of 2 has died: it ended with status 7$/m],
    [
      "runs out of memory",
      "const all = []; for (;;) all.push(new Array(1e6).fill(all.length));",
      /^tcplat: worker 2 of 2 has died: [^\n]*memory[^\n]*$/m,
    ],
  ];
  for (const [how, die, says] of deaths) {
    it(`ends the run with status 1 and one clear line: it ${how}`, async () => {
      const env = dying(how.replaceAll(" ", "-"), die);
      // The threads' heap is the process': small, so that it is soon full.
      const options = { env: { NODE_OPTIONS: `${env.NODE_OPTIONS} --max-old-space-size=60` } };
      const run = await runTcplat(["-r", medley, "-q", "--workers", "2", ...NO_PORTS], options);
      assert.equal(run.status, 1, run.stderr);
      assert.match(run.stderr, says);
      assert.doesNotMatch(run.stderr, /bug in tcplat|\n {4}at /);
    });
  }

  it("by a bug ends it with status 1 and its stack, to be reported", async () => {
    const env = dying("bug", 'throw new Error("of the thread")');
    const run = await runTcplat(["-r", medley, "-q", "--workers", "2", ...NO_PORTS], { env });
    assert.equal(run.status, 1, run.stderr);
    assert.match(run.stderr, /this is a bug in tcplat \d+\.\d+\.\d+ on Node \d[^\n]*\nError: of the thread\n {4}at /);
  });
});

/** Nobody but one worker alone sees all connections of a server: for whose request on another one it waited is not told. */
function withoutElsewhere(stdout: string): string {
  return stdout
    .replace(/"behind":\{[^}]*"elsewhere":true\}/g, '"behind":null')
    .replace(/(server(?: or network)? [\d.]+) \(behind [^)]*\)/g, "$1");
}

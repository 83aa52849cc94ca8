import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runTcplat, total, violations } from "../support/tcplat.ts";
import { differences, readTruth } from "./truth.ts";

/** Captures with known answers lie beside a checkout, and are not part of it; the folder's name may be given. */
const FOLDER = process.env.TCPLAT_CAPTURES ?? fileURLToPath(new URL("../../../../shared/captures", import.meta.url));
const skip = existsSync(join(FOLDER, "truth"))
  ? false
  : `there are no captures in ${FOLDER}; TCPLAT_CAPTURES names them`;

const PROTOCOLS = ["redis", "memcached"];
/** What reading one small file may take; the largest has 16 MB. */
const MOST_MS = 20_000;

describe("captures with known answers", { skip }, () => {
  if (skip !== false) return;
  for (const name of readdirSync(join(FOLDER, "truth")).sort()) {
    const truth = readTruth(readFileSync(join(FOLDER, "truth", name), "utf8"));
    if (!PROTOCOLS.includes(truth.protocol)) continue;
    it(`${truth.capture}: every pair within a microsecond, none wrong, none invented`, async () => {
      const protocol = [truth.protocol, truth.ports.join(",")].filter((part) => part !== "").join(":");
      const run = await runTcplat(["-r", join(FOLDER, truth.capture), "--json", "-p", protocol]);
      assert.equal(run.status, 0, run.stderr);
      assert.deepEqual(violations(run.summary), []);
      assert.deepEqual(differences(truth, run.records), []);
    });
  }
});

describe("strange captures", { skip }, () => {
  if (skip !== false) return;
  for (const folder of readdirSync(join(FOLDER, "robust")).sort()) {
    it(`of ${folder} are each read to the end, or refused in one line, with balanced counters`, async () => {
      const files = filesIn(join(FOLDER, "robust", folder));
      assert.ok(files.length > 0);
      const failures: string[] = [];
      // Two at a time: each is a process of its own.
      const queue = files.values();
      const work = async () => {
        for (const file of queue) failures.push(...(await problemsOf(file)).map((problem) => `${file}: ${problem}`));
      };
      await Promise.all([work(), work()]);
      assert.deepEqual(failures, []);
    });
  }
});

/** What is wrong with the reading of one capture; nothing, mostly. */
async function problemsOf(file: string): Promise<string[]> {
  const startedAt = performance.now();
  const run = await runTcplat(["-r", file, "--json"]);
  const problems = performance.now() - startedAt > MOST_MS ? ["takes too long"] : [];
  if (/bug in tcplat|\n\s+at /.test(run.stderr)) problems.push(run.stderr);
  if (run.status === 2) {
    if (run.stdout !== "" || !/^tcplat: [^\n]+\n$/.test(run.stderr)) problems.push(`refused badly: ${run.stderr}`);
    return problems;
  }
  // 1: libpcap found something in the middle that it cannot read, and says what.
  const isReadInPart =
    run.status === 1 && /^tcplat: reading [^\n]+\ntcplat: [^\n]+ cannot be read further: [^\n]+\n$/.test(run.stderr);
  if (run.status !== 0 && !isReadInPart) {
    problems.push(`status ${run.status} ${run.signal}: ${run.stderr}`);
  }
  problems.push(...violations(run.summary));
  if (run.records.some((record) => record.latency_us < 0)) problems.push("a negative latency");
  if (total(run.summary, "requests") < run.records.length) problems.push("more records than requests");
  return problems;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { plans } from "../properties/plans.ts";
import { random, simulate } from "../properties/simulation.ts";
import { pcapFile, type TestFrame } from "../support/pcap-file.ts";
import { CLIENT, frameOf, type TestSegment } from "../support/segments.ts";
import { Tcplat } from "../support/tcplat.ts";

const RUNS = 20;
const CONNECTIONS = 300;
const SEED = 3;
/** One in so many frames is lost. */
const LOSS = 200;
/** What the slow reader takes at once, and how long it rests afterwards. */
const REST_MS = 2;

const folder = mkdtempSync(join(tmpdir(), "tcplat-determinism-"));
after(() => rmSync(folder, { recursive: true }));

/** Many connections at once, of clients of every kind, with some frames lost. */
function capture(): Buffer {
  const below = random(SEED);
  const kinds = ["waits", "batches", "free"] as const;
  const segments: TestSegment[] = [];
  for (const [index, kind] of kinds.entries()) {
    const plansOfKind = fc.sample(plans(kind), { numRuns: CONNECTIONS / kinds.length, seed: SEED });
    for (const [number, plan] of plansOfKind.entries()) {
      const port = 20_000 + index * CONNECTIONS + number;
      const own = (host: TestSegment["from"]) => (host === CLIENT ? { ...CLIENT, port } : host);
      for (const segment of simulate(plan).frames) {
        if (below(LOSS) > 0) segments.push({ ...segment, from: own(segment.from), to: own(segment.to) });
      }
    }
  }
  const frames = segments
    .sort((a, b) => a.timeUs - b.timeUs)
    .map((segment): TestFrame => {
      const seconds = Math.floor(segment.timeUs / 1e6);
      const nanoseconds = Math.round((segment.timeUs - seconds * 1e6) * 1000);
      return { seconds, nanoseconds, bytes: frameOf(segment) };
    });
  return pcapFile(frames);
}

/** A hash of all that a run prints, and how many lines that is. */
async function run(words: readonly string[], isSlow: boolean): Promise<{ hash: string; lines: number }> {
  const tcplat = new Tcplat(words, { isUnread: true });
  const hash = createHash("sha256");
  let lines = 0;
  for await (const part of tcplat.child.stdout!) {
    hash.update(part as Buffer);
    lines += (part as Buffer).toString("latin1").split("\n").length - 1;
    if (isSlow) await new Promise((resolve) => setTimeout(resolve, REST_MS));
  }
  const { status } = await tcplat.ended();
  assert.equal(status, 0, tcplat.stderr);
  return { hash: hash.digest("hex"), lines };
}

for (const format of [["--json"], []]) {
  test(`${RUNS} runs of a file, through a slow pipe and a fast one, say the same bytes: ${format[0] ?? "text"}`, async () => {
    const file = join(folder, "many.pcap");
    writeFileSync(file, capture());
    const first = await run(["-r", file, ...format], false);
    assert.ok(first.lines > CONNECTIONS, `${first.lines} lines`);
    for (let i = 1; i < RUNS; i++) assert.deepEqual(await run(["-r", file, ...format], i % 4 !== 0), first, `run ${i}`);
  });
}

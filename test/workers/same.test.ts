import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import type { Options } from "../../src/options.ts";
import { runs } from "../properties/plans.ts";
import { temporaryFolder } from "../support/servers.ts";
import { analyse, type Said } from "./analyse.ts";
import { medleyFile } from "./medley.ts";

const { folder, remove } = temporaryFolder();
after(remove);

/** What each number of workers says of a file. */
async function saidBy(bytes: Buffer, change: Partial<Options>, ...workers: readonly number[]): Promise<Said[]> {
  const file = join(folder, "medley.pcap");
  writeFileSync(file, bytes);
  const said: Said[] = [];
  for (const of of workers) said.push(await analyse(folder, file, of, change));
  return said;
}

/** Nobody but one worker alone sees all connections of a server: for whose request on another one it waited is not told. */
function withoutElsewhere(said: Said): Said {
  return { ...said, records: said.records.replace(/"behind":\{[^}]*"elsewhere":true\}/g, '"behind":null') };
}

const medleys = fc.record({
  seed: fc.integer(),
  connections: fc.integer({ min: 1, max: 120 }),
  lossOf: fc.constantFrom(0, 30),
  midstreamOf: fc.constantFrom(0, 3),
  pauseUs: fc.constantFrom(1, 3000, 200_000),
});
const changes = fc.record({
  json: fc.boolean(),
  thresholdUs: fc.constantFrom(null, 500),
  count: fc.constantFrom(null, 333),
  idleTimeoutUs: fc.constantFrom(300_000_000, 1_000_000),
  requestTimeoutUs: fc.constantFrom(60_000_000, 50_000),
});

describe("a file read by 2 or 3 workers", () => {
  it("is told as by one, to the byte: records, summary, stats, metrics; whatever is in it", async () => {
    const property = fc.asyncProperty(medleys, changes, async (medley, change) => {
      const [one, ...more] = await saidBy(medleyFile(medley), change, 1, 2, 3);
      for (const said of more) assert.deepEqual(said, withoutElsewhere(one!));
    });
    await fc.assert(property, runs(12));
  });

  it("has room for as many connections as one, however they are shared out", async () => {
    const bytes = medleyFile({ seed: 7, connections: 90, lossOf: 0, midstreamOf: 0, pauseUs: 1 });
    const [whole] = await saidBy(bytes, {}, 1);
    const { table } = whole!;
    const maxConnections = Number(/^connections (\d+)/m.exec(table)![1]);
    const [one, ...more] = await saidBy(bytes, { maxConnections }, 1, 2, 3);
    assert.match(one!.table, / 0 evicted/);
    for (const said of more) assert.deepEqual(said, withoutElsewhere(one!));
  });
});

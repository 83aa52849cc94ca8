import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { Catalogue } from "../../src/diff/catalogue.ts";
import { Comparison } from "../../src/diff/comparison.ts";
import { readCapture } from "../../src/diff/read-capture.ts";
import { RecordStore } from "../../src/diff/record-store.ts";
import type { View } from "../../src/diff/view.ts";
import { parseCommandLine } from "../../src/options/parse.ts";
import { Dialogue, SERVER, type TestSegment } from "../support/segments.ts";
import { atServer, captureOf, fileOf } from "./two-hosts.ts";

const surroundings = { protocols: ["redis"], env: {}, readConfig: () => new Map() };

async function viewOf(segments: readonly TestSegment[], catalogue: Catalogue): Promise<View> {
  const invocation = parseCommandLine(["-r", fileOf("lossy.pcap", captureOf(segments)), "-p", "redis"], surroundings);
  assert.ok(invocation.kind === "run");
  return await readCapture(invocation.options, catalogue, new RecordStore());
}

/** Connections that talk in turns: so many requests at once, each with a key of its own, answered with values of some size. */
function talk(
  turns: readonly { readonly connection: number; readonly requests: number; readonly bytes: number }[],
): TestSegment[] {
  const dialogues = [0, 1, 2].map(
    (n) => new Dialogue({ address: "10.0.0.1", port: 40_000 + n }, SERVER, 1000 * n, -500 * n),
  );
  dialogues.forEach((dialogue, n) => void dialogue.open(n * 100));
  for (const [turn, { connection, requests, bytes }] of turns.entries()) {
    const at = 10_000 + turn * 5000;
    const keys = Array.from({ length: requests }, (_, i) => `key-${String(turn).padStart(4, "0")}-${i}`);
    dialogues[connection]!.client(at, keys.map((key) => `*2\r\n$3\r\nGET\r\n$10\r\n${key}\r\n`).join(""));
    for (let i = 0; i < requests; i++)
      dialogues[connection]!.server(at + 2000 + i, `$${bytes}\r\n${"x".repeat(bytes)}\r\n`);
    dialogues[connection]!.ack("client", at + 3000);
  }
  return dialogues.flatMap(({ segments }) => segments).toSorted((a, b) => a.timeUs - b.timeUs);
}

it("No loss in either capture joins two different requests, and the clocks' offset stays within what is stated", async () => {
  const turn = fc.record({
    connection: fc.integer({ min: 0, max: 2 }),
    requests: fc.integer({ min: 1, max: 4 }),
    bytes: fc.constantFrom(0, 3, 700),
  });
  const turns = fc.array(turn, { minLength: 20, maxLength: 60 });
  const losses = fc.array(fc.nat(), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(turns, losses, losses, async (plan, clientLosses, serverLosses) => {
      const segments = talk(plan);
      const without = (all: readonly TestSegment[], lost: readonly number[]) =>
        all.filter((_, index) => !lost.some((each) => each % all.length === index));
      const way = { thereUs: () => 400, backUs: () => 300, clock: (us: number) => us - 8_000_000 };
      const catalogue = new Catalogue();
      const client = await viewOf(without(segments, clientLosses), catalogue);
      const server = await viewOf(without(atServer(segments, SERVER, way), serverLosses), catalogue);
      const comparison = new Comparison(client, server, catalogue);
      let joined = 0;
      for (const [mine, theirs] of comparison.join.serverOf.entries()) {
        if (theirs < 0) continue;
        joined++;
        assert.equal(comparison.text("client", mine), comparison.text("server", theirs));
      }
      if (clientLosses.length + serverLosses.length === 0) assert.equal(joined, client.records.count);
      const { clock } = comparison.join;
      if (clock !== null)
        assert.ok(Math.abs(clock.offsetUs + 8_000_000) <= clock.uncertaintyUs + 1, JSON.stringify(clock));
    }),
    { seed: 11, numRuns: 60 },
  );
});

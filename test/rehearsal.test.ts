import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CLI, runTcplat } from "./support/tcplat.ts";

const REHEARSAL = join(dirname(CLI), "rehearsal.pcap");

test("the rehearsal has what comes late in a run: a second command, another reply, long latencies, an end", async () => {
  const { records, summary } = await runTcplat(["-r", REHEARSAL, "--json"]);
  assert.deepEqual(new Set(records.map(({ command }) => command)), new Set(["SET", "GET"]));
  for (const us of [100, 1000, 1_000_000])
    assert.ok(
      records.some(({ latency_us: found }) => (found ?? 0) > us),
      `${us} µs`,
    );
  assert.equal(summary["connections.syn"], 1);
  assert.equal(summary.connections, 0, "none is open at the end");
});

test("of a rehearsal nothing is told: the same from standard input, where there is one, as from a small file, where there is none", async () => {
  const input = readFileSync(REHEARSAL);
  for (const more of [["--json"], ["--json", "-q"], ["-t", "1"]]) {
    const [rehearsed, plain] = await Promise.all([
      runTcplat(["-r", "-", ...more], { input }),
      runTcplat(["-r", REHEARSAL, ...more]),
    ]);
    assert.ok(plain.stdout.length > 0);
    assert.ok(rehearsed.stdout === plain.stdout.replaceAll(REHEARSAL, "standard input"), more.join(" "));
  }
});

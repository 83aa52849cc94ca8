import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figures } from "./bound.ts";
import { BOUNDS } from "./bounds.ts";

/** The whole process: Node itself takes about 50 of it. */
const MOST_MB = 300;
const FRAME_US = 50;
const TIMEOUT_MS = 240_000;
const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));

const table: string[] = [];

for (const [index, bound] of BOUNDS.entries()) {
  let peakMb = 0;
  test(`${bound.name}: everything is accounted for`, { timeout: TIMEOUT_MS }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, String(index)]);
    const figures = JSON.parse(stdout) as Figures;
    const frameUs = (figures.seconds * 1e6) / figures.frames;
    table.push(`| ${bound.name} | ${figures.peakRssMb} | ${figures.frames} | ${frameUs.toFixed(1)} |`);
    assert.deepEqual(figures.violations, []);
    const told = Object.fromEntries(Object.keys(bound.expected).map((name) => [name, figures.counts[name] ?? 0]));
    assert.deepEqual(told, bound.expected, JSON.stringify(figures.counts));
    peakMb = figures.peakRssMb;
    // Loose: it is to find what grows with the square, on a machine that has other things to do.
    assert.ok(frameUs < (bound.frameUs ?? FRAME_US), `${frameUs} µs a frame`);
  });
  test(`${bound.name}: in less than ${MOST_MB} MB`, () => {
    assert.ok(peakMb > 0 && peakMb < MOST_MB, `${peakMb} MB`);
  });
}

after(() => {
  console.log(["| what comes | peak MB | frames | µs a frame |", "|---|---|---|---|", ...table].join("\n"));
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Place } from "../../src/scripts/messages.ts";
import { ModuleScript } from "../../src/scripts/module-script.ts";
import { ScriptLog } from "../../src/scripts/script-log.ts";
import { ETHERNET, frameOf, latin1, type TestSegment } from "../support/segments.ts";
import { sliceOf } from "./run-script.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-module-"));
after(() => rmSync(folder, { recursive: true }));
const TIME_US = 1_583_695_386_258_761;

function segment(changes: Partial<TestSegment> = {}): TestSegment {
  return {
    timeUs: 0,
    from: { address: "10.0.0.1", port: 51137 },
    to: { address: "10.0.0.2", port: 6379 },
    sequence: 4_294_967_290,
    acknowledgement: 77,
    flags: 24,
    window: 512,
    payload: latin1("PING\r\n"),
    ipId: 1,
    ...changes,
  };
}

/** A module that notes in `seen` what it is called with, by these statements. */
async function load(name: string, source: string): Promise<{ script: ModuleScript; seen: readonly unknown[] }> {
  const file = join(folder, name);
  writeFileSync(file, `export const seen = [];\n${source}\n`);
  const script = await ModuleScript.open(file);
  const { seen } = (await import(pathToFileURL(file).href)) as { seen: unknown[] };
  return { script, seen };
}

test("a packet has every field as it was captured, and the bytes of its payload", async () => {
  const fields = "protocol time_us tv_sec tv_usec sip sport dip dport seq ack flags window size length".split(" ");
  const { script, seen } = await load(
    "fields.mjs",
    `export function packet(p) {
      seen.push([${fields.map((name) => `p.${name}`).join(", ")}, Buffer.from(p.payload).toString("latin1")]);
    }`,
  );
  const frames = [frameOf(segment(), { ...ETHERNET, padTo: 60 })];
  const calls = script.run(sliceOf(frames, TIME_US), new ScriptLog(), () => {});
  script.run(sliceOf(frames, TIME_US, 1, 57), new ScriptLog(), () => {});
  const times = [TIME_US, 1_583_695_386, 258_761];
  const ends = ["10.0.0.1", 51137, "10.0.0.2", 6379];
  assert.deepEqual(seen, [
    ["tcp", ...times, ...ends, 4_294_967_290, 77, 24, 512, 6, 6, "PING\r\n"],
    ["tcp", ...times, ...ends, 4_294_967_290, 77, 24, 512, 3, 6, "PIN"],
  ]);
  assert.deepEqual(calls, { packet: 1, transaction: 0, tick: 0 });
});

test("packets and transactions come in the order in which they were told, the tick last, and each says where it is", async () => {
  const { script, seen } = await load(
    "order.mjs",
    `export function packet(p) { seen.push(p.seq); }
    export function transaction(t) { seen.push(t.id); }
    export function tick(t) { seen.push(t.time_us); }`,
  );
  assert.deepEqual(script.wants, { packet: true, transaction: true, tick: true });
  const slice = sliceOf(
    [1, 2, 3].map((sequence) => frameOf(segment({ sequence }))),
    TIME_US,
  );
  const told = new Uint8Array(Buffer.from('{"id":"1-1"}\n{"id":"1-2"}\n{"id":"2-1"}\n'));
  const tick = { time_us: TIME_US, counters: {}, servers: {} };
  const log = new ScriptLog();
  const places: number[] = [];
  const calls = script.run({ ...slice, told, toldAt: [1, 1, 3], tick }, log, () => places.push(log.place));
  assert.deepEqual(seen, [1, "1-1", "1-2", 2, 3, "2-1", TIME_US]);
  assert.deepEqual(calls, { packet: 3, transaction: 3, tick: 1 });
  const { ofPacket, ofTransaction, last } = Place;
  assert.deepEqual(places, [
    ofPacket(1),
    ofTransaction(1),
    ofTransaction(1),
    ofPacket(2),
    ofPacket(3),
    ofTransaction(3),
    last,
  ]);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok(ofTransaction(1) < ofPacket(2));
});

test("an error is told with the line of the script, once for all of its kind, and the others go on", async () => {
  const { script, seen } = await load(
    "wrong.mjs",
    `export function packet(p) {
      seen.push(p.seq);
      if (p.seq !== 2) throw new TypeError("odd\\nthing");
    }
    export async function end() { throw "no error at all"; }`,
  );
  const log = new ScriptLog();
  const frames = [1, 2, 3].map((sequence) => frameOf(segment({ sequence })));
  script.run(sliceOf(frames, TIME_US), log, () => {});
  await script.end(log);
  assert.deepEqual(seen, [1, 2, 3]);
  const file = join(folder, "wrong.mjs");
  assert.deepEqual(log.takeErrors(), [
    { message: `${file}:4: TypeError: odd thing`, count: 2 },
    { message: `${file}: no error at all`, count: 1 },
  ]);
});

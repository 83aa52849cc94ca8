import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { RecordWriter } from "../../src/outputs/record-writer.ts";
import { type Block, ENDED, EVENT_WORDS, Event, OPENED } from "../../src/workers/block.ts";
import { RecordOrder } from "../../src/workers/record-order.ts";
import { runs } from "../properties/plans.ts";
import { temporaryFolder } from "../support/servers.ts";

const { folder, remove } = temporaryFolder();
after(remove);

/** What happens at one moment of the capture, on one connection of one worker. */
interface Happening {
  readonly frame: number;
  readonly worker: number;
  readonly connection: number;
  readonly kind: "opened" | "record" | "behind" | "connect" | "ended";
}

/** Connections that open, have some records and end, each at frames of its own; no two things in one frame. */
const histories = fc
  .record({
    workers: fc.integer({ min: 1, max: 4 }),
    connections: fc.array(fc.array(fc.constantFrom("record" as const, "behind" as const, "connect" as const)), {
      minLength: 1,
      maxLength: 12,
    }),
    order: fc.infiniteStream(fc.nat()),
    /** How many happenings a block holds, and whose block comes next. */
    cuts: fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
    arrivals: fc.infiniteStream(fc.nat()),
  })
  .map(({ workers, connections, order, cuts, arrivals }) => ({
    workers,
    happenings: shuffle(workers, connections, order),
    cuts,
    arrivals,
  }));

function shuffle(
  workers: number,
  connections: readonly (readonly Happening["kind"][])[],
  order: Iterator<number>,
): Happening[] {
  const left = connections.map((kinds, index) => ({
    worker: index % workers,
    connection: Math.floor(index / workers) + 1,
    kinds: ["opened", ...kinds, "ended"] as Happening["kind"][],
  }));
  const happenings: Happening[] = [];
  for (let frame = 1; left.length > 0; frame++) {
    const index = order.next().value! % left.length;
    const { worker, connection, kinds } = left[index]!;
    happenings.push({ frame, worker, connection, kind: kinds.shift()! });
    if (kinds.length === 0) left.splice(index, 1);
  }
  return happenings;
}

/** A record as JSON has it, as far as the order reads it. */
function recordText({ kind, frame }: Happening, connection: number): string {
  const type = kind === "connect" ? "connect" : "transaction";
  const behind = kind === "behind" ? `,"behind":{"id":"${connection}-1"}` : "";
  return `{"type":"${type}","id":"${connection}-${frame}"${behind}}\n`;
}

function isRecord({ kind }: Happening): boolean {
  return kind !== "opened" && kind !== "ended";
}

/** As one worker would print them: connections are numbered as they open. */
function expected(happenings: readonly Happening[]): string {
  const ids = new Map<string, number>();
  let text = "";
  for (const of of happenings) {
    const name = `${of.worker}/${of.connection}`;
    if (of.kind === "opened") ids.set(name, ids.size + 1);
    if (isRecord(of)) text += recordText(of, ids.get(name)!);
  }
  return text;
}

function blockOf(happenings: readonly Happening[], toldBefore: number): Block {
  const events = new Float64Array(happenings.length * EVENT_WORDS);
  let text = "";
  happenings.forEach((of, index) => {
    const start = text.length;
    if (isRecord(of)) text += recordText(of, of.connection);
    const end = isRecord(of) ? text.length : of.kind === "opened" ? OPENED : ENDED;
    const behindAt = of.kind === "behind" ? text.indexOf('"behind":{"id":"', start) + '"behind":{"id":"'.length : -1;
    events.set([of.frame, 0, of.connection, end, behindAt], index * EVENT_WORDS);
  });
  return { text: Buffer.from(text), events, eventCount: happenings.length, toldBefore };
}

type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

async function print({ workers, happenings, cuts, arrivals }: History, isOrdered: boolean): Promise<string> {
  const file = join(folder, "records");
  const fd = openSync(file, "w");
  const fail = (error: Error): never => {
    throw error;
  };
  // A little room: it must wait for the reader.
  const writer = new RecordWriter({ fd, mode: "file", capacityBytes: 256, onClosed: () => {}, onError: fail });
  let returned = 0;
  const giveBack = () => void returned++;
  const order = new RecordOrder({ workers, writer, hasConnectionIds: true, isOrdered, giveBack });
  const lanes = Array.from({ length: workers }, (_, worker) => happenings.filter((of) => of.worker === worker));
  let sent = 0;
  while (lanes.some((lane) => lane.length > 0)) {
    const waiting = lanes.flatMap((lane, worker) => (lane.length > 0 ? [worker] : []));
    const worker = waiting[arrivals.next().value! % waiting.length]!;
    const block = lanes[worker]!.splice(0, cuts.next().value!);
    order.add(worker, blockOf(block, block.at(-1)!.frame + 1));
    sent++;
    if (lanes[worker]!.length === 0) order.end(worker);
    if (arrivals.next().value! % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let worker = 0; worker < workers; worker++) order.end(worker);
  await order.flushed();
  await writer.close();
  closeSync(fd);
  assert.equal(returned, sent, "blocks given back");
  return readFileSync(file, "latin1");
}

describe("RecordOrder", () => {
  it("prints what all workers tell in the order of the frames, with the numbers that one worker would give", async () => {
    const property = fc.asyncProperty(histories, async (history) => {
      assert.equal(await print(history, true), expected(history.happenings));
    });
    await fc.assert(property, runs(150));
  });

  it("live: prints everything once, each connection's records in their order, under one number that no other has", async () => {
    const property = fc.asyncProperty(histories, async (history) => {
      const lines = (await print(history, false)).split("\n").slice(0, -1);
      const told = lines.map((line) => JSON.parse(line) as { id: string; behind?: { id: string } });
      const byId = new Map<string, number[]>();
      for (const { id, behind } of told) {
        const [connection, frame] = id.split("-") as [string, string];
        if (behind !== undefined) assert.equal(behind.id, `${connection}-1`);
        byId.set(connection, [...(byId.get(connection) ?? []), Number(frame)]);
      }
      const expectedFrames = new Map<string, number[]>();
      for (const of of history.happenings.filter(isRecord)) {
        const name = `${of.worker}/${of.connection}`;
        expectedFrames.set(name, [...(expectedFrames.get(name) ?? []), of.frame]);
      }
      const sorted = (lists: Iterable<number[]>) => [...lists].map(String).sort();
      assert.deepEqual(sorted(byId.values()), sorted(expectedFrames.values()));
    });
    await fc.assert(property, runs(150));
  });

  it("writes what nothing can precede any more before anybody has ended, and one frame's records by their places", async () => {
    const fd = openSync(join(folder, "places"), "w");
    const fail = (error: Error): never => {
      throw error;
    };
    const writer = new RecordWriter({ fd, mode: "file", capacityBytes: 4096, onClosed: () => {}, onError: fail });
    const returned: number[] = [];
    const giveBack = (worker: number) => void returned.push(worker);
    const order = new RecordOrder({ workers: 2, writer, hasConnectionIds: true, isOrdered: true, giveBack });
    const happening = (worker: number, kind: Happening["kind"]) => ({ frame: 1, worker, connection: 1, kind });
    for (const [worker, places] of [
      [0, [0, 3]],
      [1, [1, 2]],
    ] as const) {
      const block = blockOf([happening(worker, "opened"), happening(worker, "record")], 0);
      for (const [index, place] of places.entries()) block.events[index * EVENT_WORDS + Event.place] = place;
      order.add(worker, block);
    }
    order.add(1, blockOf([], 2));
    await order.flushed();
    assert.deepEqual(returned, [1, 0]);
    await writer.close();
    closeSync(fd);
    const [first, second] = [2, 1].map((id) => recordText(happening(0, "record"), id));
    assert.equal(readFileSync(join(folder, "places"), "latin1"), `${first}${second}`);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Finished, runBatches } from "../properties/run.ts";
import { random } from "../properties/simulation.ts";
import { batchOf, CLIENT, Dialogue, type TestSegment } from "../support/segments.ts";
import { memcachedDialogue, redisDialogue } from "./dialogues.ts";

/** More than stay awake at once (src/transactions/awake.ts), so that each sleeps between any two of its segments. */
const CONNECTIONS = 2200;

/** Modes that must outlast sleep. */
function modes(): TestSegment[] {
  const dialogue = new Dialogue();
  dialogue.open();
  let at = 100;
  const says: readonly (readonly ["client" | "server", string])[] = [
    ["client", "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"],
    ["server", "%1\r\n+proto\r\n:3\r\n"],
    ["client", "*1\r\n$5\r\nMULTI\r\n"],
    ["server", "+OK\r\n"],
    ["client", "*2\r\n$3\r\nGET\r\n"],
    ["client", "$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n"],
    ["server", "+QUEU"],
    ["server", "ED\r\n*1\r\n"],
    ["server", "$2\r\nhi\r\n"],
    ["client", "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n"],
    ["client", "*1\r\n$4\r\nPING\r\n"],
    ["client", "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"],
    ["server", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"],
    ["server", ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"],
    ["client", "*1\r\n$4\r\nPING\r\n"],
    ["server", "+PONG\r\n"],
  ];
  for (const [from, text] of says) {
    at += 50;
    dialogue[from](at, text);
  }
  return dialogue.segments;
}

/** Requests under way while their connection sleeps: pipelined, sent again, lost for good. */
function underWay(): TestSegment[] {
  const dialogue = new Dialogue();
  dialogue.open();
  const get = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
  dialogue.client(1000, get + get);
  dialogue.server(1300, "+A\r\n");
  dialogue.client(1400, get);
  dialogue.server(1700, "+B\r\n");
  dialogue.server(1900, "+C\r\n");
  dialogue.client(300_000, get);
  dialogue.segments.push({ ...dialogue.segments.at(-1)!, timeUs: dialogue.segments.at(-1)!.timeUs + 210_000 });
  dialogue.server(520_000, "+D\r\n");
  dialogue.client(600_000, get);
  dialogue.client(70_000_000, get);
  dialogue.server(71_000_000, "+late\r\n+E\r\n");
  return dialogue.segments;
}

const DIALOGUES: readonly (readonly [string, readonly TestSegment[]])[] = [
  ["a Redis connection with modes", modes()],
  ["a Redis connection with requests under way", underWay()],
  ...[1, 2, 3].map((seed) => [`Redis dialogue ${seed}`, redisDialogue(random(seed)).truth.frames] as const),
  ...[1, 2, 3].map((seed) => [`memcached dialogue ${seed}`, memcachedDialogue(random(seed)).segments] as const),
];

function withoutConnection({ id, ...rest }: Finished): unknown {
  return { ...rest, id: id.replace(/^\d+-/, "") };
}

for (const [name, segments] of DIALOGUES) {
  test(`${name} tells the same when it sleeps between any two segments`, () => {
    const alone = runBatches([batchOf(segments)], 1).finished.map(withoutConnection);
    const batches = segments.map((segment) =>
      batchOf(Array.from({ length: CONNECTIONS }, (_, n) => moved(segment, 10_000 + n))),
    );
    const { finished, violations } = runBatches(batches, 1);
    assert.deepEqual(violations, []);
    assert.ok(alone.length > 3);
    const last = finished.filter((one) => one.id.startsWith(`${CONNECTIONS}-`)).map(withoutConnection);
    assert.deepEqual(last, alone);
    assert.equal(finished.length, CONNECTIONS * alone.length);
  });
}

/** The same segment of a client with another port. */
function moved(segment: TestSegment, port: number): TestSegment {
  const at = { ...CLIENT, port };
  return segment.from.port === CLIENT.port ? { ...segment, from: at } : { ...segment, to: at };
}

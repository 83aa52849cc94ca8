import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_PENDING, NIL, PendingPool, TIMES, WORDS, Word } from "../../src/transactions/pending.ts";
import { PendingQueue } from "../../src/transactions/pending-queue.ts";
import { TEXT_CAPACITY } from "../../src/transactions/transaction.ts";
import { command, Dialogue, Ledger } from "./dialogue.ts";

test("entries are handed out once, grow keeps what is in them, and the one freed last comes first", () => {
  const pool = new PendingPool(true);
  const entries: number[] = [];
  for (let i = 0; i < 5000; i++) {
    const entry = pool.allocate();
    entries.push(entry);
    pool.times[entry * TIMES + 7] = i;
    pool.words[entry * WORDS + 7] = i;
    pool.text[entry * TEXT_CAPACITY + TEXT_CAPACITY - 1] = i & 255;
  }
  assert.equal(new Set(entries).size, 5000);
  assert.equal(pool.used, 5000);
  for (const [i, entry] of entries.entries()) {
    assert.equal(pool.times[entry * TIMES + 7], i);
    assert.equal(pool.words[entry * WORDS + 7], i);
    assert.equal(pool.text[entry * TEXT_CAPACITY + TEXT_CAPACITY - 1], i & 255);
  }
  pool.release(entries[17]!);
  pool.release(entries[4]!);
  assert.deepEqual([pool.allocate(), pool.allocate()], [entries[4], entries[17]]);
});

test("the pool has a limit, and gives again what was given back", () => {
  const pool = new PendingPool(true);
  for (let i = 0; i < MAX_PENDING; i++) assert.notEqual(pool.allocate(), NIL);
  assert.equal(pool.allocate(), NIL);
  assert.equal(pool.used, MAX_PENDING);
  pool.release(123);
  assert.equal(pool.allocate(), 123);
  assert.equal(pool.allocate(), NIL);
});

test("several queues share a pool: each is first in, first out, or taken by id, whatever the others do", () => {
  const action = fc.record({
    queue: fc.nat(3),
    what: fc.constantFrom("add", "add", "shift", "take"),
    place: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
      const pool = new PendingPool(true);
      const queues = [0, 1, 2, 3].map(() => new PendingQueue(pool));
      const models: number[][] = [[], [], [], []];
      for (const [number, { queue, what, place }] of actions.entries()) {
        const real = queues[queue]!;
        const model = models[queue]!;
        if (what === "add") {
          const entry = pool.allocate();
          pool.words[entry * WORDS + Word.class] = 0;
          pool.words[entry * WORDS + Word.id] = number;
          real.add(entry);
          model.push(number);
        } else if (what === "take") {
          const [id = -1] = model.splice(place, 1);
          const entry = real.withId(id);
          assert.equal(entry === NIL, id < 0);
          if (entry === NIL) continue;
          assert.equal(pool.words[entry * WORDS + Word.id], id);
          real.take(entry);
          pool.release(entry);
        } else if (model.length > 0) {
          const entry = real.shift();
          assert.equal(pool.words[entry * WORDS + Word.id], model.shift());
          pool.release(entry);
        }
        assert.equal(real.count, model.length);
        const seen = [];
        for (let entry = real.head; entry !== NIL; entry = real.next(entry)) {
          seen.push(pool.words[entry * WORDS + Word.id]);
        }
        assert.deepEqual(seen, model);
        assert.equal(real.last === NIL ? undefined : pool.words[real.last * WORDS + Word.id], model.at(-1));
        assert.equal(real.at(model.length), NIL);
      }
      assert.equal(
        pool.used,
        models.reduce((sum, model) => sum + model.length, 0),
      );
    }),
  );
});

test("when the pool is full, what comes is counted as lost; when there is room again, all goes on", () => {
  const pool = new PendingPool(true);
  const ledger = new Ledger();
  const many = "PING\n".repeat(8192);
  const connections = Array.from({ length: 9 }, (_, i) => new Dialogue({ pool, ledger, id: i + 1, wantsText: false }));
  for (const connection of connections.slice(0, 8)) for (let i = 0; i < 8; i++) connection.client(1, many);
  assert.equal(pool.used, MAX_PENDING);
  assert.deepEqual(ledger.parserErrors, []);
  const late = connections[8]!;
  late.client(2, command("GET", "k"));
  assert.deepEqual(ledger.parserErrors, ["pending_limit"]);
  late.server(3, "+OK\r\n");
  assert.deepEqual(ledger.unmatchedReasons, ["gap"]);
  for (const connection of connections.slice(0, 8)) connection.end("reset");
  assert.equal(pool.used, 0);
  late.client(9_000_000, command("GET", "k")).server(9_000_001, "+OK\r\n").end("closed");
  const last = ledger.told.at(-1);
  assert.deepEqual([last?.id, last?.unanswered, last?.times[0]], ["9-1", "", 1]);
});

test("a connection that ends leaves nothing in the pool, whatever it was doing", () => {
  const pool = new PendingPool(true);
  for (const reason of ["closed", "reset", "evicted", "idle", "end"] as const) {
    const dialogue = new Dialogue({ pool });
    dialogue
      .client(1, command("GET", "k") + command("GET", "k") + command("GET", "k").slice(0, 9))
      .server(2, "$4\r\na");
    assert.equal(pool.used, 3);
    dialogue.end(reason);
    assert.equal(pool.used, 0);
  }
});

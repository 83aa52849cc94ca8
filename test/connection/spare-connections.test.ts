import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../src/connection/connection.ts";
import { ConnectionFifo, GONE } from "../../src/connection/connection-fifo.ts";
import { Lingering } from "../../src/connection/lingering.ts";
import { Path } from "../../src/connection/path.ts";
import type { StreamReceiver } from "../../src/connection/receiver.ts";
import { Server } from "../../src/connection/server.ts";
import { SpareConnections } from "../../src/connection/spare-connections.ts";
import { endsOf } from "../support/segments.ts";

const OTHER = new Server(0, "other");
const SERVER = new Server(1, "10.0.0.2:6379");

/** Whatever a connection may have come to know, its flows included. */
function useUp(connection: Connection): void {
  connection.hash = 77;
  connection.clientIsA = true;
  connection.lastUs = 5e15;
  connection.orderedLow = 8;
  connection.orderedFrame = 9;
  connection.roleAttempts = 3;
  connection.receiver = {} as StreamReceiver;
  connection.server = SERVER;
  connection.side = "server";
  connection.holdUntilUs = 5e15;
  connection.hasHandshake = true;
  connection.isEnded = true;
  connection.isIgnored = true;
  connection.isOutside = true;
  connection.isLeaving = true;
  connection.lossReason = "sampled";
  if (connection.isDatagrams) return;
  connection.path = Object.assign(new Path(), { isUsed: true });
  for (const flow of [connection.fromA, connection.fromB]) {
    for (const [name, value] of Object.entries(flow))
      if (typeof value === "number") Object.assign(flow, { [name]: 13 });
    flow.oddity.isAsking = true;
  }
}

for (const kind of ["TCP", "datagrams"]) {
  for (const [what, ends] of [
    ["IPv4", endsOf(0x0a000001, 50_000, 0x0a000002, 6379)],
    ["IPv6", { ...endsOf(0x0a000001, 50_000, 0x0a000002, 6379), ipVersion: 6, source0: 1, destination2: 2 }],
  ] as const) {
    test(`a connection (${kind}, ${what}) that another one was before is as one that is new`, () => {
      const isDatagrams = kind === "datagrams";
      const spares = new SpareConnections();
      const used = spares.take(1, endsOf(1, 2, 3, 4), OTHER, isDatagrams);
      useUp(used);
      spares.give(used);
      const again = spares.take(2, ends, OTHER, isDatagrams);
      assert.equal(again, used);
      assert.deepEqual(again, new Connection(2, ends, OTHER, isDatagrams));
      assert.notEqual(spares.take(3, ends, OTHER, isDatagrams), again);
    });
  }
}

test("what exchanges datagrams does not become a TCP connection, nor the other way round", () => {
  const spares = new SpareConnections();
  const ends = endsOf(1, 2, 3, 4);
  const [stream, datagrams] = [spares.take(1, ends, OTHER, false), spares.take(2, ends, OTHER, true)];
  spares.give(stream);
  assert.notEqual(spares.take(3, ends, OTHER, true), stream);
  spares.give(datagrams);
  assert.equal(spares.take(4, ends, OTHER, false), stream);
  assert.equal(spares.take(5, ends, OTHER, true), datagrams);
});

/** A connection that is in a table. */
function inTable(id: number, endedUs = 0.5): Connection {
  const connection = new Connection(id, endsOf(1, id, 3, 4), OTHER);
  connection.slot = id;
  connection.lastUs = endedUs;
  return connection;
}

test("a connection that is gone is known to be gone, in the table's eyes or serving as another one", () => {
  const fifo = new ConnectionFifo();
  const [there, removed, another] = [inTable(1), inTable(2), inTable(3)];
  for (const connection of [there, removed, another]) fifo.push(connection);
  removed.slot = -1;
  another.open(4, endsOf(5, 6, 7, 8), OTHER);
  fifo.push(another);
  assert.equal(fifo.length, 4);
  assert.deepEqual([fifo.first, fifo.shift()], [there, there]);
  assert.deepEqual([fifo.first, fifo.shift()], [GONE, GONE]);
  assert.equal(fifo.shift(), GONE);
  assert.equal(fifo.shift(), another);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.first, undefined);
});

test("an ended connection whose place another one took, with the same object, is not forgotten in its stead", () => {
  const lingering = new Lingering();
  const connections = Array.from({ length: 3000 }, (_, n) => inTable(n + 1, 1e6));
  for (const connection of connections) lingering.add(connection);
  // More than half of them are replaced, each by one that is open, of the same object.
  for (const connection of connections.slice(0, 2500)) {
    lingering.replaced(connection);
    connection.open(connection.id + 10_000, endsOf(9, connection.id, 3, 4), OTHER);
  }
  assert.equal(lingering.takeDue(10e6), undefined, "10 s are not over");
  const due: Connection[] = [];
  for (let next = lingering.takeDue(11e6); next !== undefined; next = lingering.takeDue(11e6)) due.push(next);
  assert.deepEqual(
    due.map(({ id }) => id),
    connections.slice(2500).map(({ id }) => id),
  );
  assert.equal(lingering.takeFirst(), undefined);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionRoom, sharedRoom } from "../../src/connection/room.ts";

describe("room for connections", () => {
  it("is full when as many were taken as there is room for, and not once one is given back", () => {
    const room = new ConnectionRoom(2);
    room.take();
    assert.ok(!room.isFull);
    room.take();
    assert.ok(room.isFull);
    room.giveBack();
    assert.ok(!room.isFull);
  });

  it("is that of all tables that share it, one of which may have more than its part", () => {
    const shared = sharedRoom();
    const [one, other] = [new ConnectionRoom(3, 2, shared), new ConnectionRoom(3, 2, shared)];
    for (let i = 0; i < 3; i++) one.take();
    assert.ok(one.isFull && other.isFull);
    one.giveBack();
    assert.ok(!one.isFull && !other.isFull);
    assert.equal(one.part, 2);
  });
});

import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { Connection } from "../../src/connection/connection.ts";
import { HeldRoom } from "../../src/connection/held-segments.ts";
import { Reassembly } from "../../src/connection/reassembly.ts";
import type { StreamReceiver } from "../../src/connection/receiver.ts";
import { Server } from "../../src/connection/server.ts";
import { Segment, TcpFlag } from "../../src/decode/segment.ts";
import { runs } from "../properties/plans.ts";
import { endsOf } from "../support/segments.ts";

const NEVER = () => {};

for (const [what, batch] of [
  ["an engine's Buffer", Buffer.alloc(64)],
  ["a plain Uint8Array", new Uint8Array(64)],
] as const) {
  test(`a segment that came too early keeps its bytes when the next batch overwrites ${what}`, () => {
    let delivered = "";
    const receiver: StreamReceiver = {
      data: ({ bytes, start, end }) => {
        delivered += Buffer.from(bytes).toString("latin1", start, end);
      },
      gap: NEVER,
      retransmitted: NEVER,
      sentForNothing: NEVER,
      serverFinished: NEVER,
      ended: NEVER,
      expire: NEVER,
      hasPending: false,
    };
    const connection = new Connection(1, endsOf(1, 40_000, 2, 6379), new Server(0, "other"));
    connection.clientIsA = true;
    connection.receiver = receiver;
    const reassembly = new Reassembly();
    const arrive = (sequence: number, text: string, timeUs: number): void => {
      batch.fill(0x3f);
      batch.set(Buffer.from(text, "latin1"), 16);
      const segment = new Segment();
      Object.assign(segment, { bytes: batch, payloadStart: 16, payloadLength: text.length });
      Object.assign(segment, { payloadCaptured: text.length, sequence, timeUs, window: 64, flags: TcpFlag.psh });
      connection.lastUs = timeUs;
      reassembly.accept(connection, connection.fromA, connection.fromB, segment);
    };
    arrive(1, "PI", 1);
    arrive(5, "\r\n", 2);
    arrive(3, "NG", 3);
    assert.equal(delivered, "PING\r\n");
  });
}

describe("room for held segments", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 40 });

  it("has each one's bytes until that is given back, short or long, whatever was there before", () => {
    const room = new HeldRoom();
    const property = fc.property(fc.array(lengths, { minLength: 2, maxLength: 5 }), (rounds) => {
      for (const round of rounds) {
        const held = round.map((length, n) => {
          const payload = Uint8Array.from({ length }, (_, i) => n * 7 + i);
          const segment = Object.assign(new Segment(), {
            bytes: payload,
            payloadLength: length,
            payloadCaptured: length,
          });
          return { payload, held: room.hold(segment, 0, length, false, n, n) };
        });
        for (const { payload, held: each } of held) {
          assert.deepEqual(each.bytes.slice(each.start, each.end), payload);
          room.giveBack(each);
        }
      }
    });
    fc.assert(property, runs(50));
  });

  it("is enough for more than there is in one piece", () => {
    const room = new HeldRoom();
    const segment = Object.assign(new Segment(), { bytes: new Uint8Array(4), payloadLength: 4, payloadCaptured: 4 });
    const held = Array.from({ length: 20_000 }, (_, n) => {
      new DataView(segment.bytes.buffer).setInt32(0, n);
      return room.hold(segment, 0, 4, false, n, n);
    });
    const read = held.map(({ bytes, start }) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(start));
    assert.deepEqual(read, [...held.keys()]);
  });
});

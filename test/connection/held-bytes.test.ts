import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../src/connection/connection.ts";
import { Reassembly } from "../../src/connection/reassembly.ts";
import type { StreamReceiver } from "../../src/connection/receiver.ts";
import { Server } from "../../src/connection/server.ts";
import { Segment, TcpFlag } from "../../src/decode/segment.ts";
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

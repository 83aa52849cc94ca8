import type { Connection } from "../../src/connection/connection.ts";
import { ConnectionTable } from "../../src/connection/connection-table.ts";
import { MAY_BE_ACKS } from "../../src/connection/numbering.ts";
import type { StreamReceiver } from "../../src/connection/receiver.ts";
import type { RoleHints } from "../../src/connection/roles.ts";
import { ConnectionRoom } from "../../src/connection/room.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import { BEGIN_US, batchOf, type TestSegment } from "../support/segments.ts";

/** What a test may set of the table and of what it knows. */
export interface RecorderOptions {
  readonly maxConnections?: number;
  /** In its place: what this table shares with others. */
  readonly room?: ConnectionRoom;
  readonly idleTimeoutUs?: number;
  readonly hints?: Partial<RoleHints>;
  readonly local?: readonly string[];
  /** Addresses that are known only to who asks again. */
  readonly localAgain?: readonly string[];
  readonly side?: "client" | "server" | null;
  /** Connections whose bytes nobody wants. */
  readonly refuses?: (connection: Connection) => boolean;
  readonly hasPending?: boolean;
  /** The same, where it changes. */
  readonly pending?: { readonly hasPending: boolean };
}

/**
 * A connection table whose receivers write down what they are told, one line an event: `c` and `s` for the client's and the
 * server's bytes, with the time in µs after BEGIN_US. Connections after the first have their number in front.
 */
export class Recorder {
  readonly lines: string[] = [];
  readonly table: ConnectionTable;
  readonly connections: Connection[] = [];

  constructor(options: RecorderOptions = {}) {
    const hints: RoleHints = {
      servers: new Set(),
      namedPorts: new Set(),
      filterPorts: new Set(),
      knownPorts: new Set([6379]),
      speaker: () => null,
      datagramSpeaker: () => null,
      ...options.hints,
    };
    this.table = new ConnectionTable({
      room: options.room ?? new ConnectionRoom(options.maxConnections ?? 1000),
      idleTimeoutUs: options.idleTimeoutUs ?? 300_000_000,
      attach: (connection) => {
        if (options.refuses?.(connection)) return null;
        this.connections.push(connection);
        return this.#receiver(connection, options.pending ?? { hasPending: options.hasPending ?? false });
      },
      hints,
      localAddresses: (again) => new Set([...(options.local ?? []), ...((again && options.localAgain) || [])]),
      side: options.side ?? null,
      seed: 1,
    });
  }

  /** Takes these segments, as frames of one batch. */
  take(...segments: readonly TestSegment[]): this {
    const batch = batchOf(segments);
    const decoder = new Decoder(1, true);
    for (let at = 0; at < batch.length; at = decoder.next) {
      const isSegment = decoder.decode(batch, at);
      this.table.advanceClock(decoder.segment);
      if (!isSegment) continue;
      if (decoder.segment.isDatagram) this.table.datagrams.accept(decoder.segment);
      else this.table.accept(decoder.segment);
    }
    return this;
  }

  /** Lets time pass, `at` µs after BEGIN_US. */
  until(at: number): this {
    this.table.advanceIdle(BEGIN_US + at);
    return this;
  }

  finish(): this {
    this.table.finish();
    return this;
  }

  #receiver(connection: Connection, pending: { readonly hasPending: boolean }): StreamReceiver {
    const note = (line: string): void => {
      this.lines.push(connection.id === 1 ? line : `${connection.id}: ${line}`);
    };
    const end = (fromClient: boolean): string => (fromClient ? "c" : "s");
    return {
      get hasPending() {
        return pending.hasPending;
      },
      data: ({ fromClient, bytes, start, end: to, cut, timeUs, wasHeld, resentUs, missingPackets }) => {
        const text = Buffer.from(bytes.subarray(start, to)).toString("latin1");
        const rest = `${cut > 0 ? ` cut ${cut}` : ""}${wasHeld ? " held" : ""}${resentUs > 0 ? ` resent ${resentUs}` : ""}`;
        const acks = (missingPackets & MAY_BE_ACKS) === 0 ? "" : " or acknowledgements";
        const lost = missingPackets > 0 ? ` behind ${missingPackets & ~MAY_BE_ACKS} lost${acks}` : "";
        note(`${end(fromClient)} ${text} @${timeUs - BEGIN_US}${rest}${lost}`);
      },
      gap: (fromClient, missing) => note(`${end(fromClient)} gap ${missing}`),
      retransmitted: ({ fromClient, length, isFast }) =>
        note(`${end(fromClient)} again ${length}${isFast ? " as asked for" : ""}`),
      sentForNothing: (fromClient) => note(`${end(fromClient)} for nothing`),
      serverFinished: () => note("s fin"),
      ended: (reason) => note(`ended ${reason}`),
      expire: () => undefined,
    };
  }
}

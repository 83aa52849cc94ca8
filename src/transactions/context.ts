import type { ServerTable } from "../connection/servers.ts";
import type { DatagramProtocol, DatagramSession } from "../protocols/protocol.ts";
import type { Awake } from "./awake.ts";
import type { Here } from "./here.ts";
import type { OpeningRoom } from "./opening.ts";
import type { PendingPool } from "./pending.ts";
import type { TransactionRecord } from "./record.ts";
import type { ProtocolSelector } from "./selector.ts";
import type { Spares } from "./spares.ts";
import type { TransactionSink } from "./transaction.ts";

/** What all pairings of a run share. */
export interface PairingContext {
  readonly pool: PendingPool;
  readonly sink: TransactionSink;
  readonly record: TransactionRecord;
  readonly here: Here;
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  readonly pathDepth: number;
}

/** What all conversations of a run share. */
export interface ConversationContext extends PairingContext {
  readonly selector: ProtocolSelector;
  readonly servers: ServerTable;
  readonly awake: Awake;
  readonly spares: Spares;
  readonly datagramSpares: Spares<DatagramProtocol, DatagramSession>;
  readonly openings: OpeningRoom;
  readonly requestTimeoutUs: number;
  /** Connections not looked into, by reason. */
  readonly refused: { tls: number; unknown_protocol: number; unknown_udp: number };
}

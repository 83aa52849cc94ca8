import type { ServerTable } from "../connection/servers.ts";
import type { DatagramProtocol, DatagramSession } from "../protocols/protocol.ts";
import type { Awake } from "./awake.ts";
import type { OpeningRoom } from "./opening.ts";
import type { PairingContext } from "./pairing-context.ts";
import type { ProtocolSelector } from "./selector.ts";
import type { Spares } from "./spares.ts";

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

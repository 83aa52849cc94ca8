import type { LocalAddresses } from "../capture/local-addresses.ts";
import type { Connection } from "./connection.ts";
import type { StreamReceiver } from "./receiver.ts";
import type { RoleHints } from "./roles.ts";
import type { ConnectionRoom } from "./room.ts";
import type { ServerTable } from "./servers.ts";

/** What a table of connections is given, and whom it tells. */
export interface TableOptions {
  readonly room: ConnectionRoom;
  readonly idleTimeoutUs: number;
  /** Makes the receiver of a connection at its first payload; null when nobody wants its bytes. */
  readonly attach: (connection: Connection) => StreamReceiver | null;
  readonly hints: RoleHints;
  /** This host's addresses; none when a file is read. */
  readonly localAddresses: LocalAddresses;
  /** `--side`, or null for auto. */
  readonly side: "client" | "server" | null;
  /** Any number: it only makes the hash unpredictable. */
  readonly seed: number;
  /** Who gives out the ids of servers; a table of its own unless told. */
  readonly servers?: ServerTable;
  /** Counts the frames, for `moment`; without it all is one moment. */
  readonly counted?: { readonly frames: number };
  /** A connection was given its number; nothing was told of it yet. */
  readonly onOpened?: (connection: Connection) => void;
  /** Nothing more will be told of a connection. */
  readonly onEnded?: (connection: Connection) => void;
}

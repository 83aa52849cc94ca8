import type { LocalAddresses } from "../capture/local-addresses.ts";
import type { Segment } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import type { Side } from "./path.ts";
import type { ServerTable } from "./servers.ts";

/** What can tell client from server where no handshake was seen, strongest first. */
export interface RoleHints {
  /** `--server` endpoints, as text. */
  readonly servers: ReadonlySet<string>;
  /** Ports named with -p. */
  readonly namedPorts: ReadonlySet<number>;
  /** The protocols' well-known ports. */
  readonly knownPorts: ReadonlySet<number>;
  /** Ports in the filter: often the server's, sometimes one client's. */
  readonly filterPorts: ReadonlySet<number>;
  /** What these first bytes of one direction look like. */
  readonly speaker: (bytes: Uint8Array, start: number, end: number) => "client" | "server" | null;
  /** Who sent this datagram from port `aPort` or `bPort` (either may be the server's), where it says so itself. */
  readonly datagramSpeaker: (
    aPort: number,
    bPort: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => "client" | "server" | null;
}

/** Whether endpoint A is the client, or null while that cannot be told. Not for the hot path. */
export function guessClientIsA(
  connection: Connection,
  hints: RoleHints,
  known: ServerTable,
  fromA: boolean,
  { bytes, payloadStart, payloadCaptured }: Segment,
): boolean | null {
  const a = connection.aText;
  const b = connection.bText;
  return (
    only(hints.servers.has(a), hints.servers.has(b)) ??
    only(known.has(a), known.has(b)) ??
    only(hints.namedPorts.has(connection.aPort), hints.namedPorts.has(connection.bPort)) ??
    only(hints.knownPorts.has(connection.aPort), hints.knownPorts.has(connection.bPort)) ??
    only(hints.filterPorts.has(connection.aPort), hints.filterPorts.has(connection.bPort)) ??
    bySpeech(hints.speaker(bytes, payloadStart, payloadStart + payloadCaptured), fromA)
  );
}

/** A is the client where only B is a server, and the other way round. */
function only(aIsServer: boolean, bIsServer: boolean): boolean | null {
  if (aIsServer === bIsServer) return null;
  return bIsServer;
}

function bySpeech(speaker: "client" | "server" | null, fromA: boolean): boolean | null {
  if (speaker === null) return null;
  return (speaker === "client") === fromA;
}

/** Where this host stands: `local` tells its addresses; none when a file is read. */
export function sideOf(connection: Connection, local: LocalAddresses): Side {
  const side = sideAmong(connection, local(false));
  return side === "transit" ? sideAmong(connection, local(true)) : side;
}

function sideAmong(connection: Connection, local: ReadonlySet<string>): Side {
  if (local.size === 0) return "transit";
  const clientAddress = connection.clientIsA === false ? connection.bAddress : connection.aAddress;
  const serverAddress = connection.clientIsA === false ? connection.aAddress : connection.bAddress;
  const isClient = local.has(clientAddress);
  const isServer = local.has(serverAddress);
  if (isClient && isServer) return "local";
  if (isClient) return "client";
  return isServer ? "server" : "transit";
}

import type { Connection } from "../connection/connection.ts";
import type { ConversationContext } from "./context.ts";
import type { Endpoint } from "./transaction.ts";

// Their texts are made when asked for: most connections are made quickly, and never spoken of.

class ClientEnd implements Endpoint {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get text(): string {
    return this.connection.clientText;
  }
}

class ServerEnd implements Endpoint {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get text(): string {
    return this.connection.serverText;
  }
}

/** Tells how the connection was made, where that was seen, and has it forgotten. */
export function tellConnect(context: ConversationContext, connection: Connection, protocol: string): void {
  const { path } = connection;
  if (path.connectUs < 0) return;
  const rttUs = path.roundTripUs(connection.side);
  context.sink.connected({
    connectionId: connection.id,
    client: new ClientEnd(connection),
    serverEndpoint: new ServerEnd(connection),
    server: connection.server,
    side: connection.side,
    protocol,
    endUs: path.connectedAtUs,
    latencyUs: path.connectUs,
    synRetransmissions: path.synRetransmissions,
    rttUs: rttUs < 0 ? null : rttUs,
  });
  path.forgetHandshake();
}

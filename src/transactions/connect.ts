import type { Connection } from "../connection/connection.ts";
import type { ConversationContext } from "./context.ts";
import type { Endpoint } from "./transaction.ts";

/** The text is made when asked for, while the connection is there: most are made quickly, and never spoken of. */
class End implements Endpoint {
  private readonly connection: Connection;
  private readonly isClient: boolean;

  constructor(connection: Connection, isClient: boolean) {
    this.connection = connection;
    this.isClient = isClient;
  }

  get text(): string {
    return this.isClient ? this.connection.clientText : this.connection.serverText;
  }
}

/** Tells how the connection was made, where that was seen, and has it forgotten. */
export function tellConnect(context: ConversationContext, connection: Connection, protocol: string): void {
  const { path } = connection;
  if (path.connectUs < 0) return;
  const rttUs = path.roundTripUs(connection.side);
  context.sink.connected({
    connectionId: connection.id,
    client: new End(connection, true),
    serverEndpoint: new End(connection, false),
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

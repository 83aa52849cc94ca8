import type { Connection } from "../connection/connection.ts";
import type { ConversationContext } from "./context.ts";

/** Tells how the connection was made, where that was seen, and has it forgotten. */
export function tellConnect(context: ConversationContext, connection: Connection, protocol: string): void {
  const { path } = connection;
  if (path.connectUs < 0) return;
  const rttUs = path.roundTripUs(connection.side);
  context.sink.connected({
    connectionId: connection.id,
    client: { text: connection.clientText },
    serverEndpoint: { text: connection.serverText },
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

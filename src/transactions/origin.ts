import type { Connection } from "../connection/connection.ts";
import type { Path } from "../connection/path.ts";
import type { Server } from "../connection/server.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { StreamPlace } from "./stream-place.ts";
import type { Endpoint, Side } from "./transaction.ts";

/** What all transactions of a connection have in common. */
export class Origin {
  readonly protocol: Protocol;
  readonly server: Server;
  readonly clientPlace: StreamPlace;
  readonly serverPlace: StreamPlace;
  readonly path: Path;
  private readonly isServerHere: boolean;
  private readonly connection: Connection;
  // Made when first asked for: most of 100,000 connections are never spoken of.
  private clientEnd: Endpoint | null = null;
  private serverEnd: Endpoint | null = null;

  constructor(connection: Connection, protocol: Protocol, clientPlace: StreamPlace, serverPlace: StreamPlace) {
    this.connection = connection;
    this.path = connection.path;
    this.isServerHere = connection.side === "server" || connection.side === "local";
    this.server = connection.server;
    this.protocol = protocol;
    this.clientPlace = clientPlace;
    this.serverPlace = serverPlace;
  }

  /** From here to the server and back, in µs: 0 where that is this host, -1 while unknown. */
  // Runs for every response.
  get toServerUs(): number {
    return this.isServerHere ? 0 : this.path.toServer.us;
  }

  /** This host receives what the client sends (or the server): a segment that was seen here has arrived. */
  arrivesHere(fromClient: boolean): boolean {
    return this.isServerHere ? fromClient || this.side === "local" : this.side === "client" && !fromClient;
  }

  get isDatagrams(): boolean {
    return this.connection.isDatagrams;
  }

  /** Responses go to requests by id alone. */
  get pairsById(): boolean {
    return this.connection.isDatagrams || this.protocol.pairsById === true;
  }

  /** None of its requests waits behind another. */
  get isConcurrent(): boolean {
    return this.connection.isDatagrams || this.protocol.isConcurrent === true;
  }

  get connectionId(): number {
    return this.connection.id;
  }

  get side(): Side {
    return this.connection.side;
  }

  get client(): Endpoint {
    this.clientEnd ??= { text: this.connection.clientText };
    return this.clientEnd;
  }

  get serverEndpoint(): Endpoint {
    this.serverEnd ??= this.server.id === 0 ? { text: this.connection.serverText } : this.server;
    return this.serverEnd;
  }

  /** Gives back what can be made again. */
  forgetTexts(): void {
    this.clientEnd = null;
    this.serverEnd = null;
  }
}

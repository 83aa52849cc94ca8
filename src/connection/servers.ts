import type { Connection } from "./connection.ts";
import { Server } from "./server.ts";

/** More servers than this share one set of numbers, so that a scan cannot make labels without bound. */
export const MAX_SERVERS = 200;

/** Where several tables agree on the servers and their ids, from 1, in the order first found. 0: not there. */
export interface ServerDirectory {
  idOf(text: string): number;
  /** The id, given out at the first call; 0 when there are too many. */
  enter(text: string): number;
}

export class ServerTable {
  readonly other = new Server(0, "other");
  /** In the order first found here. */
  readonly all: Server[] = [this.other];
  /** Servers that found no room, as connections asked for them. */
  limited = 0;
  private readonly byText = new Map<string, Server>();
  private readonly directory: ServerDirectory | null;
  /** What `findOf` found last, of IPv4. */
  private last = { address: 0, port: -1, server: this.other };

  /** `directory`: this table holds a part of the connections, and others the rest. */
  constructor(directory: ServerDirectory | null = null) {
    this.directory = directory;
  }

  /** The server of this endpoint's text; the shared one when there are too many. Not for the hot path. */
  find(text: string): Server {
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    const id = this.directory === null ? this.nextId() : this.directory.enter(text);
    if (id !== 0) return this.add(id, text);
    this.limited++;
    return this.other;
  }

  /** The server of this connection. Its text is not made where it is that of the connection before, as nearly always. */
  findOf(connection: Connection): Server {
    const address = connection.clientIsA === false ? connection.a3 : connection.b3;
    const { serverPort } = connection;
    if (this.last.address === address && this.last.port === serverPort && connection.highWords === null)
      return this.last.server;
    const server = this.find(connection.serverText);
    // What has no room is asked for each time: it is counted.
    if (connection.highWords === null && server.id !== 0) this.last = { address, port: serverPort, server };
    return server;
  }

  has(text: string): boolean {
    return this.byText.has(text) || (this.directory !== null && this.directory.idOf(text) !== 0);
  }

  /** The server of this text where it is known, else the shared one. */
  known(text: string): Server {
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    const id = this.directory?.idOf(text) ?? 0;
    return id === 0 ? this.other : this.add(id, text);
  }

  private nextId(): number {
    return this.byText.size < MAX_SERVERS ? this.all.length : 0;
  }

  private add(id: number, text: string): Server {
    const server = new Server(id, text);
    this.all.push(server);
    this.byText.set(text, server);
    return server;
  }
}

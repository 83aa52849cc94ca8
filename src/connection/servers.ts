/** A server and what TCP did on its connections. Ids are dense, from 1; 0 is the shared "other". */
export class Server {
  readonly id: number;
  /** `10.0.0.1:6379`, or "other". */
  readonly text: string;
  retransmittedSegments = 0;
  outOfOrderSegments = 0;
  gaps = 0;
  gapBytes = 0;
  zeroWindows = 0;

  constructor(id: number, text: string) {
    this.id = id;
    this.text = text;
  }
}

/** More servers than this share one set of numbers, so that a scan cannot make labels without bound. */
const MAX_SERVERS = 200;

export class ServerTable {
  readonly other = new Server(0, "other");
  /** By id. */
  readonly all: Server[] = [this.other];
  /** Servers that found no room, as connections asked for them. */
  limited = 0;
  readonly #byText = new Map<string, Server>();

  /** The server of this endpoint's text; the shared one when there are too many. Not for the hot path. */
  find(text: string): Server {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= MAX_SERVERS) {
      this.limited++;
      return this.other;
    }
    const server = new Server(this.all.length, text);
    this.all.push(server);
    this.#byText.set(text, server);
    return server;
  }

  has(text: string): boolean {
    return this.#byText.has(text);
  }

  /** The server of this text where it is known, else the shared one. */
  known(text: string): Server {
    return this.#byText.get(text) ?? this.other;
  }
}

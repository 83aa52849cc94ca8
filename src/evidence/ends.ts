import { addressText, endpointText } from "../connection/address.ts";
import type { Segment } from "../decode/segment.ts";

/** An address in four words, and the port. */
type Words = readonly [number, number, number, number, number];

/** The two ends of a connection: known by their texts, and by their words once a segment of theirs was seen. */
export class Ends {
  readonly clientPort: number;
  readonly serverPort: number;
  readonly #client: string;
  readonly #server: string;
  #clientWords: Words | null = null;
  #serverWords: Words | null = null;

  /** As in the records of a run: `192.168.0.1:51137`. */
  constructor(client: string, server: string) {
    this.#client = client;
    this.#server = server;
    this.clientPort = portOf(client);
    this.serverPort = portOf(server);
  }

  /** Whether a segment goes from one of them to the other. */
  areOf(s: Segment): boolean {
    const client = this.#clientWords;
    const server = this.#serverWords;
    if (client === null || server === null) return this.#areByText(s);
    return (isSource(client, s) && isDestination(server, s)) || (isSource(server, s) && isDestination(client, s));
  }

  /** Which way a segment of theirs goes. */
  isFromClient(s: Segment): boolean {
    return this.#clientWords !== null && isSource(this.#clientWords, s);
  }

  #areByText(s: Segment): boolean {
    const source: Words = [s.source0, s.source1, s.source2, s.source3, s.sourcePort];
    const destination: Words = [s.destination0, s.destination1, s.destination2, s.destination3, s.destinationPort];
    const from = textOf(s.ipVersion, source);
    const to = textOf(s.ipVersion, destination);
    const isFromClient = from === this.#client && to === this.#server;
    if (!isFromClient && !(from === this.#server && to === this.#client)) return false;
    this.#clientWords = isFromClient ? source : destination;
    this.#serverWords = isFromClient ? destination : source;
    return true;
  }
}

function isSource([word0, word1, word2, word3, port]: Words, s: Segment): boolean {
  if (port !== s.sourcePort || word3 !== s.source3) return false;
  return word0 === s.source0 && word1 === s.source1 && word2 === s.source2;
}

function isDestination([word0, word1, word2, word3, port]: Words, s: Segment): boolean {
  if (port !== s.destinationPort || word3 !== s.destination3) return false;
  return word0 === s.destination0 && word1 === s.destination1 && word2 === s.destination2;
}

function textOf(ipVersion: number, [word0, word1, word2, word3, port]: Words): string {
  return endpointText(addressText(ipVersion, word0, word1, word2, word3), port);
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

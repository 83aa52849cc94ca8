import type { ProtocolSelection } from "../options.ts";
import { type DatagramProtocol, type Protocol, Recognition } from "../protocols/protocol.ts";

/** What a connection's first bytes were taken for, where they are no protocol's. */
export type Refusal = "tls" | "unknown_protocol";

/** Which protocols a connection may speak: by `-p`, by its server's port, and by its first bytes. */
export class ProtocolSelector {
  private readonly protocolsByPort = new Map<number, Protocol>();
  private readonly anyPort: Protocol[] = [];
  private readonly all: readonly Protocol[];
  /** One protocol was named, without ports: whatever the filter lets through is taken for it. */
  private readonly only: Protocol | null;

  constructor(selections: readonly ProtocolSelection[], protocols: readonly Protocol[]) {
    this.all = protocols;
    let named = 0;
    for (const selection of selections) {
      const chosen = selection.name === "auto" ? protocols : protocols.filter((p) => p.name === selection.name);
      for (const protocol of chosen) {
        for (const port of selection.ports) this.protocolsByPort.set(port, protocol);
        if (selection.ports.length === 0 && !this.anyPort.includes(protocol)) this.anyPort.push(protocol);
      }
      if (selection.name !== "auto" && selection.ports.length === 0) named++;
    }
    const hasAuto = selections.some((selection) => selection.name === "auto");
    this.only = named === 1 && !hasAuto && this.anyPort.length === 1 ? this.anyPort[0]! : null;
  }

  /** Ports named by the user. */
  get ports(): IterableIterator<number> {
    return this.protocolsByPort.keys();
  }

  /** Whether a connection to this server port is looked at at all. */
  wants(serverPort: number): boolean {
    return this.anyPort.length > 0 || this.protocolsByPort.has(serverPort);
  }

  /** The protocol of a connection by its port alone, or null when its bytes must tell. */
  byPort(serverPort: number): Protocol | null {
    return this.protocolsByPort.get(serverPort) ?? this.only;
  }

  /** The protocol that these first bytes of a client are, the port being a hint; or why they are none. */
  recognise(serverPort: number, bytes: Uint8Array, start: number, end: number): Protocol | Refusal {
    if (isTls(bytes, start, end)) return "tls";
    if (isClusterBus(bytes, start, end)) return "unknown_protocol";
    const fixed = this.byPort(serverPort);
    if (fixed !== null) return fixed;
    let best: Protocol | null = null;
    let bestRank = -1;
    for (const protocol of this.anyPort) {
      const isUsualPort = protocol.ports.includes(serverPort);
      const verdict = protocol.recogniseRequest(bytes, start, end);
      // What several protocols' bytes look like (an HTTP request is nearly an inline Redis command) needs the port, too.
      if (verdict !== Recognition.certain && !isUsualPort) continue;
      if (verdict === Recognition.no && protocol.isUnmistakable === true) continue;
      const rank = verdict * 2 + (isUsualPort ? 1 : 0);
      if (rank > bestRank) {
        best = protocol;
        bestRank = rank;
      }
    }
    return best ?? "unknown_protocol";
  }

  /** Whether a client's first bytes, which `recognise` knows not yet, may be a protocol's: too few, or several have the like. */
  mayBeKnown(bytes: Uint8Array, start: number, end: number): boolean {
    return this.anyPort.some((protocol) => protocol.recogniseRequest(bytes, start, end) !== Recognition.no);
  }

  /** The only protocol that both a client's first bytes and these of the server's answer may be, or null. */
  recogniseAnswered(request: Uint8Array, bytes: Uint8Array, start: number, end: number): Protocol | null {
    const able = this.anyPort.filter(
      (protocol) =>
        protocol.recogniseRequest(request, 0, request.length) >= Recognition.possible &&
        protocol.recogniseResponse(bytes, start, end) >= Recognition.possible,
    );
    return able.length === 1 ? able[0]! : null;
  }

  /**
   * Whether a client's first bytes cannot be `protocol`, which its port or `-p` says it is, and certainly are another that is known:
   * read as what they are not, they would be nonsense, and its secrets would be shown. Where no port says it, what might be the
   * protocol's is the other's, too (`GET / HTTP/1.1` is a command of Redis, but none that anybody sends).
   */
  isAnothers(protocol: Protocol, serverPort: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (isClusterBus(bytes, start, end)) return true;
    const verdict = protocol.recogniseRequest(bytes, start, end);
    const hasItsPort = protocol.ports.includes(serverPort) || this.protocolsByPort.has(serverPort);
    if (verdict !== Recognition.no && (hasItsPort || verdict === Recognition.certain)) return false;
    return this.all.some((other) => other.recogniseRequest(bytes, start, end) === Recognition.certain);
  }

  /** Some protocol that may be spoken is spoken in datagrams. */
  get wantsDatagrams(): boolean {
    return [...this.anyPort, ...this.protocolsByPort.values()].some((protocol) => protocol.datagrams !== undefined);
  }

  /** The protocol of a datagram between these ports, or null. The server's port, where it is pinned, decides alone. */
  recogniseDatagram(
    serverPort: number,
    clientPort: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Protocol | null {
    const pinned = this.protocolsByPort.get(serverPort);
    if (pinned !== undefined) return pinned.datagrams === undefined ? null : pinned;
    let best: Protocol | null = null;
    let bestRank = -1;
    for (const protocol of this.anyPort) {
      const { datagrams } = protocol;
      if (datagrams === undefined || isOthers(datagrams, serverPort, clientPort)) continue;
      const verdict = Math.max(
        datagrams.recogniseRequest(bytes, start, end),
        datagrams.recogniseResponse(bytes, start, end),
      );
      const isUsualPort = datagrams.ports.includes(serverPort);
      // What may be it, where nothing else is asked for; a filter may let all of a host's datagrams through, QUIC and NTP.
      if (protocol === this.only && (isUsualPort || verdict !== Recognition.no)) return protocol;
      if (verdict !== Recognition.certain && !(isUsualPort && verdict !== Recognition.no)) continue;
      const rank = verdict * 2 + (isUsualPort ? 1 : 0);
      if (rank > bestRank) {
        best = protocol;
        bestRank = rank;
      }
    }
    return best;
  }

  /** Who sent this datagram between ports `a` and `b`, by its grammar alone, where it is one of a protocol that may be spoken there. */
  datagramSpeaker(a: number, b: number, bytes: Uint8Array, start: number, end: number): "client" | "server" | null {
    let client = 0;
    let server = 0;
    const pinned = this.protocolsByPort.get(a) ?? this.protocolsByPort.get(b);
    for (const protocol of pinned === undefined ? this.anyPort : [pinned]) {
      const { datagrams } = protocol;
      if (datagrams === undefined || (pinned === undefined && isOthers(datagrams, a, b))) continue;
      client = Math.max(client, datagrams.recogniseRequest(bytes, start, end));
      server = Math.max(server, datagrams.recogniseResponse(bytes, start, end));
    }
    if (client === server || Math.max(client, server) < Recognition.possible) return null;
    return client > server ? "client" : "server";
  }

  /** Who speaks these first bytes, by their grammar alone. */
  speaker(bytes: Uint8Array, start: number, end: number): "client" | "server" | null {
    const protocols = new Set([...this.anyPort, ...this.protocolsByPort.values()]);
    let client = 0;
    let server = 0;
    for (const protocol of protocols) {
      client = Math.max(client, protocol.recogniseRequest(bytes, start, end));
      server = Math.max(server, protocol.recogniseResponse(bytes, start, end));
    }
    if (client === server || Math.max(client, server) < Recognition.possible) return null;
    return client > server ? "client" : "server";
  }
}

/** Another protocol's port, and none of its own: clients take any port that is free. */
function isOthers({ ports, otherPorts }: DatagramProtocol, a: number, b: number): boolean {
  if (otherPorts === undefined || ports.includes(a) || ports.includes(b)) return false;
  return otherPorts.includes(a) || otherPorts.includes(b);
}

/** Whether bytes begin a TLS record (RFC 8446 §5.1): type 22, handshake, then version 3.x. */
export function isTls(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && bytes[start] === 0x16 && bytes[start + 1] === 3;
}

/**
 * Whether bytes begin a message of the bus between the nodes of a Redis or Valkey cluster (`clusterMsg` of cluster.h: the signature `RCmb`). It is no
 * RESP, on a port of its own, and carries what clients publish: read as Redis, a published `GET x` in a line is a request that nobody made.
 */
function isClusterBus(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 4 &&
    bytes[start] === 0x52 &&
    bytes[start + 1] === 0x43 &&
    bytes[start + 2] === 0x6d &&
    bytes[start + 3] === 0x62
  );
}

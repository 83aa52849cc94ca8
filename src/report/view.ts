import type { ServerSnapshot, Snapshot } from "../aggregate/snapshot.ts";
import type { Collected } from "./collector.ts";

/** All that a page is made of. */
export interface ReportView {
  readonly snapshot: Snapshot;
  readonly collected: Collected;
  readonly isLive: boolean;
  /** False where times were taken on arrival, not by the kernel or a file. */
  readonly hasGoodClock: boolean;
  /** The libpcap filter as given, "" for none. */
  readonly filter: string;
  readonly version: string;
}

/** Servers that spoke a protocol, those first that took most of their clients' time (class normal). */
export function byTimeTaken(snapshot: Snapshot): ServerSnapshot[] {
  return snapshot.servers
    .filter((server) => server.services.length > 0)
    .toSorted(
      (a, b) => b.latency.sumUs - a.latency.sumUs || requestsOf(b) - requestsOf(a) || a.server.id - b.server.id,
    );
}

export function requestsOf(server: ServerSnapshot): number {
  return server.services.reduce((all, service) => all + service.requests, 0);
}

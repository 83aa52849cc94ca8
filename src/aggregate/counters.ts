import type { Protocol } from "../protocols/protocol.ts";
import type { ServiceSnapshot, Snapshot } from "./snapshot.ts";

/** Counts that belong to a protocol's parsers rather than to a server. */
export class ParserCounters {
  readonly protocol: Protocol;
  resyncs = 0;
  readonly errors = new Map<string, number>();

  constructor(protocol: Protocol) {
    this.protocol = protocol;
  }
}

/** The run's counters that are kept apart from the series they must agree with. */
export class Counters {
  requests = 0;
  responses = 0;
  readonly parsers: ParserCounters[] = [];

  parser(protocol: Protocol): ParserCounters {
    const known = this.parsers.find((parser) => parser.protocol === protocol);
    if (known) return known;
    const made = new ParserCounters(protocol);
    this.parsers.push(made);
    return made;
  }
}

/** The totals of a run, between which three sums hold (README, The JSON record), over all its servers. */
export interface Totals {
  readonly answered: number;
  readonly noReply: number;
  readonly pending: number;
  readonly unanswered: number;
  readonly unmatched: number;
  readonly pushes: number;
}

export function totals(snapshot: Snapshot): Totals {
  const services = snapshot.servers.flatMap((server) => server.services);
  const over = (count: (service: ServiceSnapshot) => number): number => total(services.map(count));
  return {
    answered: over((service) => service.answered),
    noReply: over((service) => service.noReply),
    pending: over((service) => service.pending),
    unanswered: over((service) => sum(service.unanswered)),
    unmatched: over((service) => sum(service.unmatched)),
    pushes: over((service) => service.pushes),
  };
}

/**
 * Which of the three sums (README, The JSON record) a snapshot violates, a sentence each; empty when all hold.
 * They hold at any moment, so each sentence is a bug.
 */
export function identities(snapshot: Snapshot): string[] {
  const violations: string[] = [];
  const check = (name: string, whole: number, parts: number): void => {
    if (whole !== parts) violations.push(`${name}: ${whole} is not ${parts}`);
  };
  const { capture, pendingRequests } = snapshot.stages;
  const all = totals(snapshot);
  check("frames = decoded + skipped", capture.frames, capture.decoded + sum(capture.skipped));
  check(
    "requests = answered + no_reply + pending + unanswered",
    snapshot.requests,
    all.answered + all.noReply + all.pending + all.unanswered,
  );
  check("responses = matched + unmatched + pushes", snapshot.responses, all.answered + all.unmatched + all.pushes);
  if (pendingRequests !== null) check("requests in flight = requests held for pairing", all.pending, pendingRequests);
  for (const server of snapshot.servers) {
    for (const service of server.services) checkService(`${service.protocol} ${server.server.text}`, service, check);
  }
  return violations;
}

function checkService(
  name: string,
  service: ServiceSnapshot,
  check: (name: string, whole: number, parts: number) => void,
): void {
  const classes = service.commands.flatMap((command) => command.classes);
  const errors = total(classes.map((of) => of.errors));
  check(`${name}: errors = those by first word`, errors, sum(service.errors));
  const parts = service.answered + service.noReply + service.pending + sum(service.unanswered);
  check(`${name}: requests = answered + no_reply + pending + unanswered`, service.requests, parts);
  if (service.pending < 0) check(`${name}: pending is never negative`, service.pending, 0);
}

/** The sum of a record's values. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return total(Object.values(counts));
}

function total(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

import { sum } from "../aggregate/counters.ts";
import { BUCKET_BOUNDS_US } from "../aggregate/histogram.ts";
import type { HistogramSnapshot, ServerSnapshot, ServiceSnapshot, Snapshot } from "../aggregate/snapshot.ts";
import { CAUSES, type Cause } from "../transactions/shares.ts";

/** tcpkit's labels of the buckets from `≤ 100 µs` on, exactly as its users' scripts expect them (README, The stats port). */
export const STATS_LABELS: readonly string[] = [
  "<0.1ms",
  "0.1ms~0.2ms",
  "0.2~0.5ms",
  "0.5ms~1ms",
  "1ms~5ms",
  "5ms~10ms",
  "10ms~20ms",
  "20ms~50ms",
  "50ms~100ms",
  "100ms~200ms",
  "200ms~500ms",
  "0.5s~1s",
  "1s~2s",
  "2s~3s",
  "3s~5s",
  "5s~10s",
  "10s~20s",
  "+inf",
];
/** The shorter buckets of Prometheus are all in the first label. */
const FIRST_LABEL_BUCKET = BUCKET_BOUNDS_US.indexOf(100);

/** The id of "other". */
const OTHER = 0;

/**
 * The document of the stats port (README): valid JSON in tcpkit's spacing. "other" is there once it has requests: until a connection's
 * server is known, its round trips count for that, too.
 */
export function statsDocument(snapshot: Snapshot): string {
  const told = snapshot.servers.filter(({ server, services }) => server.id !== OTHER || services.length > 0);
  if (told.length === 0) return "{\n}\n";
  const servers = told.map((of) => `\t${JSON.stringify(of.server.text)}:\t${serverText(of)}`);
  return `{\n${servers.join(",\n")}\n}\n`;
}

function serverText(of: ServerSnapshot): string {
  const { services, latency } = of;
  const over = (count: (service: ServiceSnapshot) => number): number =>
    services.reduce((all, service) => all + count(service), 0);
  const lines = [
    fields({
      requests: over((service) => service.requests),
      request_bytes: over((service) => service.requestBytes),
      responses: over((service) => service.answered),
      response_bytes: over((service) => service.responseBytes),
    }),
    `"latency":\t${latencyText(latency)}`,
    fields({
      protocol: services.map((service) => service.protocol).join(","),
      side: of.side,
      errors: over((service) => sum(service.errors)),
      unanswered: over((service) => sum(service.unanswered)),
      pending: over((service) => service.pending),
      no_reply: over((service) => service.noReply),
      unmatched: over((service) => sum(service.unmatched)),
      pushes: over((service) => service.pushes),
    }),
    fields({
      p50_ms: milliseconds(latency.p50Us),
      p90_ms: milliseconds(latency.p90Us),
      p99_ms: milliseconds(latency.p99Us),
      p999_ms: milliseconds(latency.p999Us),
      max_ms: latency.count === 0 ? null : milliseconds(latency.maxUs),
      rtt_ms: milliseconds(of.roundTrip.p50Us),
      server_ms: serverMilliseconds(of),
      connect_ms: milliseconds(of.connect.p50Us),
    }),
    `"lost_seconds":\t{${fields(lostSeconds(services))}}`,
    `"classes":\t{${fields(classCounts(services))}}`,
    `"commands":\t${commandsText(services)}`,
  ];
  return `{\n\t\t${lines.join(",\n\t\t")}\n\t}`;
}

/** What requests spent their latency on, by cause. */
function lostSeconds(services: readonly ServiceSnapshot[]): Record<Cause, number> {
  const seconds = (cause: Cause): number => services.reduce((all, { lostUs }) => all + lostUs[cause], 0) / 1e6;
  return Object.fromEntries(CAUSES.map((cause) => [cause, seconds(cause)])) as Record<Cause, number>;
}

/** What a request takes in the server on average, of those of which the way there is known; null where there is none. */
function serverMilliseconds({ services, latency }: ServerSnapshot): number | null {
  const known = latency.count - services.reduce((all, { ofUnknownWay }) => all + ofUnknownWay, 0);
  return known === 0 ? null : milliseconds((lostSeconds(services).server * 1e6) / known);
}

function latencyText(latency: HistogramSnapshot): string {
  const counts = STATS_LABELS.map((_, index) => latency.buckets[index + FIRST_LABEL_BUCKET] ?? 0);
  for (let i = 0; i < FIRST_LABEL_BUCKET; i++) counts[0] = counts[0]! + latency.buckets[i]!;
  const shown = STATS_LABELS.flatMap((label, index) => (counts[index]! > 0 ? [`{"${label}":\t${counts[index]}}`] : []));
  return `[${shown.join(", ")}]`;
}

/** Answered requests of each class that is not normal. */
function classCounts(services: readonly ServiceSnapshot[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const of of services.flatMap((service) => service.commands).flatMap((command) => command.classes)) {
    if (of.class !== "normal") counts[of.class] = (counts[of.class] ?? 0) + of.ok + of.errors;
  }
  return counts;
}

/** Where a server speaks several protocols, a command's name is preceded by its protocol: `redis.GET`. */
function commandsText(services: readonly ServiceSnapshot[]): string {
  const commands = services.flatMap((service) =>
    service.commands.map((command) => {
      const name = services.length > 1 ? `${service.protocol}.${command.command}` : command.command;
      const normal = command.classes.find((of) => of.class === "normal")?.latency;
      const text = fields({
        count: command.requests,
        errors: command.classes.reduce((all, of) => all + of.errors, 0),
        p50_ms: milliseconds(normal?.p50Us),
        p99_ms: milliseconds(normal?.p99Us),
        max_ms: normal === undefined || normal.count === 0 ? null : milliseconds(normal.maxUs),
      });
      return `\t\t\t${JSON.stringify(name)}:\t{${text}}`;
    }),
  );
  return commands.length === 0 ? "{}" : `{\n${commands.join(",\n")}\n\t\t}`;
}

function fields(values: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(values)
    .map(([name, value]) => `"${name}":\t${JSON.stringify(value)}`)
    .join(", ");
}

/** Null where there is none. */
function milliseconds(us: number | undefined): number | null {
  return us === undefined || Number.isNaN(us) ? null : Math.round(us) / 1000;
}

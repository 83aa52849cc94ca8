import assert from "node:assert/strict";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { after } from "node:test";
import { DEVICE, type Network } from "../support/forwarder.ts";
import { enter } from "../support/namespaces.ts";
import {
  atMostUs,
  type Measured,
  memcachedReplyEnd,
  RawClient,
  type ReplyEnd,
  resp,
  respReplyEnd,
} from "../support/raw-client.ts";
import type { RealServer } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, type Summary, Tcplat, total, violations } from "../support/tcplat.ts";

/** What one tcplat told. */
export interface View {
  readonly records: readonly JsonRecord[];
  readonly summary: Summary;
}

/** What both told of the same requests. */
export interface Views {
  readonly client: View;
  readonly server: View;
}

/** Words of a request. */
export type Words = readonly (string | number)[];

/** How requests are written, and their replies read. */
export interface Language {
  readonly write: (words: Words) => string;
  readonly replyEnd: ReplyEnd;
  readonly isError: (reply: string) => boolean;
}

export const REDIS: Language = {
  write: (words) => resp(...words),
  replyEnd: respReplyEnd,
  isError: (reply) => reply.startsWith("-"),
};

/** Words are a command, a key, and for storage commands a value. */
export const MEMCACHED: Language = {
  write: ([command, key, value]) =>
    value === undefined ? `${command} ${key}\r\n` : `${command} ${key} 0 0 ${`${value}`.length}\r\n${value}\r\n`,
  replyEnd: memcachedReplyEnd,
  isError: (reply) => /^(ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(reply),
};

/** Connections that a failed test left open would keep its process from ending. */
const clients = new Set<RawClient>();
after(() => {
  for (const { socket } of clients) socket.destroy();
});

/** A connection from a host's own namespace. */
export async function connectFrom(
  namespace: string,
  server: RealServer,
  replyEnd: ReplyEnd = respReplyEnd,
): Promise<RawClient> {
  enter(namespace);
  const client = await RawClient.connect(server.port, replyEnd, server.host);
  clients.add(client);
  return client;
}

/** A client on the first host that asks one thing after another and notes what it asked and measured. */
export class Referee {
  readonly client: RawClient;
  readonly language: Language;
  readonly asked: { readonly summary: string; readonly measured: Measured }[] = [];

  private constructor(client: RawClient, language: Language) {
    this.client = client;
    this.language = language;
  }

  static async connect(network: Network, server: RealServer, language: Language = REDIS): Promise<Referee> {
    return new Referee(await connectFrom(network.client, server, language.replyEnd), language);
  }

  async ask(...words: Words): Promise<Measured> {
    await this.pipeline([words]);
    return this.asked.at(-1)!.measured;
  }

  /** Sends all at once. */
  async pipeline(requests: readonly Words[]): Promise<void> {
    const bytes = requests.map((words) => this.language.write(words)).join("");
    const measured = await this.client.send(bytes, requests.length);
    requests.forEach((words, i) => {
      this.asked.push({ summary: words.slice(0, 2).join(" "), measured: measured[i]! });
    });
  }
}

/** Captures on both hosts at once while `act` runs, until both have told of `count` requests. */
export async function watch(
  network: Network,
  ports: readonly number[],
  act: () => Promise<number>,
  more: readonly string[] = [],
): Promise<Views> {
  const filter = ["tcp", ...ports.flatMap((port, i) => [...(i === 0 ? [] : ["or"]), "port", `${port}`])];
  const words = ["-i", DEVICE, "--json", ...NO_PORTS, ...more, ...filter];
  const both = await Promise.all(
    [network.client, network.server].map((namespace) => Tcplat.capturing(words, { namespace })),
  );
  const count = await act();
  await Promise.all(both.map((tcplat) => tcplat.transactions(count)));
  const endings = await Promise.all(both.map((tcplat) => tcplat.stop()));
  const [client, server] = both.map(({ records, summary }) => ({ records, summary })) as [View, View];
  for (const [i, { summary }] of [client, server].entries()) {
    assert.deepEqual(endings[i], { status: 0, signal: null });
    assert.deepEqual(violations(summary), []);
    for (const nothing of ["parser_errors", "parser_resyncs", "capture_dropped_frames", "tcp_gaps"])
      assert.equal(total(summary, nothing), 0, nothing);
  }
  return { client, server };
}

/** Longest time by which the client's own measure may exceed what was seen on its interface: a busy machine. */
const NOISE_US = 150_000;
/** And the usual one, of enough requests to speak of such. */
const USUAL_NOISE_US = 10_000;
const USUAL_REQUESTS = 50;
/** For how long this process itself stood still, at most, since it began: what it measures meanwhile is longer by that. */
const stalls = monitorEventLoopDelay({ resolution: 10 });
stalls.enable();

/**
 * Every request asked is one record on either side, at its time: between what the client saw and what the server saw. `heldMs`: so long
 * the client's kernel may not have sent what it was given (a closed window, a pipeline longer than TCP dares to send).
 */
export function assertTrue(views: Views, askers: readonly Referee[], heldMs = 0): void {
  const count = askers.reduce((all, referee) => all + referee.asked.length, 0);
  const excess: number[] = [];
  for (const view of [views.client, views.server]) {
    assert.equal(view.records.length, count, "as many records as requests");
    assert.equal(total(view.summary, "requests"), count);
    assert.equal(total(view.summary, "responses"), count);
    assert.equal(total(view.summary, "unmatched_responses"), 0);
  }
  for (const { client, asked, language } of askers) {
    const [near, far] = [views.client, views.server].map((view) =>
      view.records.filter((record) => record.client === client.endpoint),
    ) as [JsonRecord[], JsonRecord[]];
    for (const [i, { summary, measured }] of asked.entries()) {
      assertSame(near[i]!, summary, measured, language);
      assertSame(far[i]!, summary, measured, language);
      assertInside(near[i]!, far[i]!);
      assert.ok(near[i]!.latency_us <= atMostUs(measured.us), `${summary}: ${near[i]!.latency_us} > ${measured.us}`);
      excess.push(measured.us - near[i]!.latency_us);
    }
  }
  excess.sort((a, b) => a - b);
  const [worstUs, medianUs] = [excess.at(-1)!, excess[(excess.length - 1) >> 1]!];
  const stalledUs = stalls.max / 1000;
  assert.ok(worstUs < NOISE_US + 2 * stalledUs + heldMs * 2000, `the client measured up to ${worstUs} µs more`);
  if (count < USUAL_REQUESTS) return;
  assert.ok(medianUs < USUAL_NOISE_US + heldMs * 1000, `the client usually measured ${medianUs} µs more`);
}

function assertSame(record: JsonRecord, summary: string, measured: Measured, language: Language): void {
  assert.equal(record.summary, summary);
  assert.equal(record.status, language.isError(measured.reply) ? "error" : "ok");
  assert.equal(record.response_bytes, measured.reply.length);
  assert.equal(record.latency_us, record.send_us + record.wait_us + record.receive_us);
}

/** Both hosts share one clock here: the server's part lies within the client's. */
function assertInside(near: JsonRecord, far: JsonRecord): void {
  const times = [near.start, far.start, far.end, near.end];
  assert.deepEqual(times, times.toSorted(), `${near.summary}: ${near.id} and ${far.id}`);
  assert.ok(far.latency_us <= near.latency_us);
  assert.deepEqual([near.side, far.side], ["client", "server"]);
}

/** The one record with this summary. */
export function recordOf(view: View, summary: string): JsonRecord {
  const found = view.records.filter((record) => record.summary === summary);
  assert.equal(found.length, 1, `records of ${summary}`);
  return found[0]!;
}

import assert from "node:assert/strict";
import { after } from "node:test";
import { DEVICE, type Network } from "../support/forwarder.ts";
import { enter } from "../support/namespaces.ts";
import { type Measured, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
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

/** Connections that a failed test left open would keep its process from ending. */
const referees = new Set<Referee>();
after(() => {
  for (const { client } of referees) client.socket.destroy();
});

/** A client on the first host that asks one thing after another and notes what it asked and measured. */
export class Referee {
  readonly client: RawClient;
  readonly asked: { readonly summary: string; readonly measured: Measured }[] = [];

  private constructor(client: RawClient) {
    this.client = client;
    referees.add(this);
  }

  static async connect(network: Network, server: RealServer): Promise<Referee> {
    enter(network.client);
    return new Referee(await RawClient.connect(server.port, respReplyEnd, server.host));
  }

  async ask(...words: readonly (string | number)[]): Promise<Measured> {
    const measured = await this.client.ask(resp(...words));
    this.asked.push({ summary: words.slice(0, 2).join(" "), measured });
    return measured;
  }

  /** Sends all at once. */
  async pipeline(requests: readonly (readonly (string | number)[])[]): Promise<void> {
    const measured = await this.client.send(requests.map((words) => resp(...words)).join(""), requests.length);
    requests.forEach((words, i) => {
      this.asked.push({ summary: words.slice(0, 2).join(" "), measured: measured[i]! });
    });
  }
}

/** Captures on both hosts at once while `act` runs, until both have told of `count` requests. */
export async function watch(network: Network, ports: readonly number[], act: () => Promise<number>): Promise<Views> {
  const filter = ["tcp", ...ports.flatMap((port, i) => [...(i === 0 ? [] : ["or"]), "port", `${port}`])];
  const words = ["-i", DEVICE, "--json", ...NO_PORTS, ...filter];
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
/** And the usual one. */
const USUAL_NOISE_US = 5_000;
/** Two clocks are read for one latency, one of them adjusted by NTP. */
const CLOCK_US = 20;

/**
 * Every request asked is one record on either side, at its time: between what the client saw and what the server saw. `heldMs`: so long
 * the client's kernel could not send what it was given.
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
  for (const { client, asked } of askers) {
    const [near, far] = [views.client, views.server].map((view) =>
      view.records.filter((record) => record.client === client.endpoint),
    ) as [JsonRecord[], JsonRecord[]];
    for (const [i, { summary, measured }] of asked.entries()) {
      assertSame(near[i]!, summary, measured);
      assertSame(far[i]!, summary, measured);
      assertInside(near[i]!, far[i]!);
      assert.ok(near[i]!.latency_us <= measured.us + CLOCK_US, `${summary}: ${near[i]!.latency_us} > ${measured.us}`);
      excess.push(measured.us - near[i]!.latency_us);
    }
  }
  excess.sort((a, b) => a - b);
  const [worstUs, medianUs] = [excess.at(-1)!, excess[(excess.length - 1) >> 1]!];
  assert.ok(worstUs < NOISE_US + heldMs * 2000, `the client measured up to ${worstUs} µs more`);
  assert.ok(medianUs < USUAL_NOISE_US, `the client usually measured ${medianUs} µs more`);
}

function assertSame(record: JsonRecord, summary: string, measured: Measured): void {
  assert.equal(record.summary, summary);
  assert.equal(record.status, measured.reply.startsWith("-") ? "error" : "ok");
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

import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { type Protocol, TransactionClass } from "../protocols/protocol.ts";
import { FLAG_NAMES, Flag, type ServerRef, type Transaction } from "../transactions/transaction.ts";
import { columnAt, emptyHeatmaps, type Heatmap, type Heatmaps, heatmapOf, rowOf, UNANSWERED_SLOT } from "./heatmap.ts";
import { admit, floorUs, type SlowRequest, slowRequest } from "./slowest.ts";
import { verdictOf } from "./verdict.ts";

/** Requests listed, answered and not. */
const SLOWEST = 100;
const UNANSWERED = 30;

/** What a report needs beyond the snapshot. Plain data of bounded size. */
export interface Collected {
  /** Ends of the transactions of class normal that are in the histograms, and of all unanswered requests. */
  readonly heatmaps: Heatmaps;
  /** Class normal, slowest first. */
  readonly slowest: SlowRequest[];
  /** Class normal, those that waited longest first. */
  readonly unanswered: SlowRequest[];
  /** Finished transactions, of all classes, by the value of their flags: 2 ** FLAG_NAMES.length counts. */
  readonly byFlags: Float64Array;
  /** The first start and the last end seen, in µs since the epoch; NaN before the first transaction. */
  firstUs: number;
  lastUs: number;
}

/** Nothing collected yet. */
function emptyCollected(): Collected {
  const byFlags = new Float64Array(2 ** FLAG_NAMES.length);
  return { heatmaps: emptyHeatmaps(), slowest: [], unanswered: [], byFlags, firstUs: Number.NaN, lastUs: Number.NaN };
}

/** Collects what a report shows while the transactions pass: all of them, printed or not. */
export class ReportCollector implements TransactionOutput {
  readonly collected = emptyCollected();
  /** By server id; mostly one protocol each. */
  readonly #maps: ({ readonly protocol: Protocol; readonly map: Heatmap }[] | undefined)[] = [];
  /** Of class normal: what is not longer is not among the slowest. */
  #floorUs = -1;

  // Runs for every response.
  transaction(transaction: Transaction): void {
    const collected = this.collected;
    const { flags } = transaction;
    collected.byFlags[flags] = collected.byFlags[flags]! + 1;
    // True of NaN, too: nothing came before.
    if (!(transaction.startUs >= collected.firstUs)) collected.firstUs = transaction.startUs;
    if (transaction.unanswered !== "") {
      this.#unanswered(transaction);
      return;
    }
    const { endUs, latencyUs } = transaction;
    if (!(endUs <= collected.lastUs)) collected.lastUs = endUs;
    // As the histograms have it: a latency that the clock has made wrong is none.
    if (transaction.class !== TransactionClass.normal || (flags & Flag.clockSkew) !== 0) return;
    const counts = columnAt(collected.heatmaps, this.#map(transaction.server, transaction.protocol), endUs);
    const row = rowOf(latencyUs);
    counts[row] = counts[row]! + 1;
    if (latencyUs <= this.#floorUs) return;
    admit(collected.slowest, SLOWEST, slowRequest(transaction, verdictOf(transaction)));
    this.#floorUs = floorUs(collected.slowest, SLOWEST);
  }

  #unanswered(transaction: Transaction): void {
    const { heatmaps, unanswered } = this.collected;
    const endUs = transaction.startUs + transaction.waitedUs;
    if (!(endUs <= this.collected.lastUs)) this.collected.lastUs = endUs;
    const counts = columnAt(heatmaps, this.#map(transaction.server, transaction.protocol), endUs);
    counts[UNANSWERED_SLOT] = counts[UNANSWERED_SLOT]! + 1;
    if (transaction.class !== TransactionClass.normal || transaction.waitedUs <= floorUs(unanswered, UNANSWERED))
      return;
    admit(unanswered, UNANSWERED, slowRequest(transaction, null));
  }

  #map(server: ServerRef, protocol: Protocol): Heatmap {
    const maps = this.#maps[server.id];
    if (maps !== undefined) {
      for (let i = 0; i < maps.length; i++) if (maps[i]!.protocol === protocol) return maps[i]!.map;
    }
    return this.#addMap(server, protocol);
  }

  #addMap(server: ServerRef, protocol: Protocol): Heatmap {
    while (this.#maps.length <= server.id) this.#maps.push(undefined);
    const map = heatmapOf(this.collected.heatmaps, server.text, protocol.name);
    const maps = this.#maps[server.id] ?? [];
    maps.push({ protocol, map });
    this.#maps[server.id] = maps;
    return map;
  }
}

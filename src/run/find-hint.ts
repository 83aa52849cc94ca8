import { totals } from "../aggregate/counters.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import type { Options } from "../options.ts";
import type { Captor } from "./captor.ts";
import { type FirstMinuteView, hint } from "./first-minute.ts";
import { countTaggedFrames, countTaggedInFile } from "./second-look.ts";

/** How long the second look for tagged frames takes. */
const SECOND_LOOK_MS = 1000;

/** What was seen so far, and what to try, where no transaction has come; null where nothing needs saying. May take a second. */
export async function findHint(options: Options, captor: Captor): Promise<string | null> {
  const snapshot = captor.snapshot();
  if (toldOf(snapshot) > 0) return null;
  if (options.raw !== null && captor.frames > 0) return null;
  const isBlind = snapshot.stages.capture.decoded === 0 && !options.vlan;
  return hint(viewOf(options, captor, isBlind ? await countTagged(options, captor.source.isLive) : 0));
}

async function countTagged({ interface: name, read, filter }: Options, isLive: boolean): Promise<number> {
  return isLive ? await countTaggedFrames(name, filter, SECOND_LOOK_MS) : await countTaggedInFile(read ?? "-", filter);
}

function viewOf(options: Options, captor: Captor, taggedFrames: number): FirstMinuteView {
  const snapshot = captor.snapshot();
  const { stages, requests } = snapshot;
  const { total } = stages.connections;
  const unknownUdp = stages.connections.notAnalysed.unknown_udp ?? 0;
  return {
    source: captor.source.name,
    isLive: captor.source.isLive,
    isUp: captor.source.isUp,
    filter: options.filter,
    vlan: options.vlan,
    frames: stages.capture.frames,
    taggedFrames,
    decoded: stages.capture.decoded,
    truncated: stages.capture.truncated,
    skipped: stages.capture.skipped,
    connections: total.syn + total.midstream + total.udp - unknownUdp,
    unknownUdp,
    midstream: total.midstream,
    ...captor.incomplete(),
    evicted: stages.connections.evicted,
    tls: stages.connections.notAnalysed.tls ?? 0,
    unknownProtocol: stages.connections.notAnalysed.unknown_protocol ?? 0,
    requests,
    transactions: toldOf(snapshot),
    protocols: options.protocols.map((protocol) => protocol.name),
  };
}

/** Transactions, and what never becomes one. A response alone is none: of one direction nothing else is seen. */
function toldOf(snapshot: Snapshot): number {
  const { answered, noReply, pushes } = totals(snapshot);
  return answered + noReply + pushes;
}

import { addressText, endpointText } from "../connection/address.ts";
import { DuplicateFilter } from "../connection/duplicates.ts";
import { distance } from "../connection/sequence.ts";
import { Decoder } from "../decode/decoder.ts";
import { type Segment, TcpFlag } from "../decode/segment.ts";
import type { Options } from "../options.ts";
import { eachBatch } from "../run/each-batch.ts";
import { openSource } from "../run/open-source.ts";
import { resentDirection } from "../transactions/resend.ts";
import type { TransactionCopy } from "../transactions/transaction-copy.ts";
import { ClosedTimes } from "./closed-times.ts";
import { FlowWatch, type Oddity } from "./flow-watch.ts";
import { Parts } from "./parts.ts";
import { Selection } from "./selection.ts";
import { type Elision, isElision, isSentAgain, type Rung } from "./steps.ts";

/** Before the request (or the one of its connection that it waited behind): so many segments at most, and no older ones. */
const BEFORE_SEGMENTS = 4;
const BEFORE_US = 50_000;
/** After the response: until it is acknowledged, but no more, and no later, than this (a delayed acknowledgement takes 40 ms). */
const AFTER_SEGMENTS = 6;
const AFTER_US = 50_000;
/** Of an unanswered request: until its connection ends, or for so many segments after it was given up. */
const AFTER_UNANSWERED = 20;
/** Frames of a capture may be in disorder, and a clock may be set back: so far behind nothing of interest comes. */
const DISORDER_US = 60_000_000;

/** The segments around one request, in the order captured; the less interesting ones of many are counted only. */
export interface Ladder {
  readonly steps: readonly (Rung | Elision)[];
  /** When a receive window was closed, those of segments that are counted only included. */
  readonly closed: Pick<ClosedTimes, "us" | "spans">;
  /** Frames that the capture holds twice: not shown. */
  readonly duplicates: number;
  /** What the file's reader warned of, or null. */
  readonly warning: string | null;
}

/** Reads the file again and collects the segments of this request's connection, from shortly before to shortly after. Throws TcplatError. */
export async function climb(options: Options, of: TransactionCopy, behind: TransactionCopy | null): Promise<Ladder> {
  const source = await openSource(options);
  try {
    const decoder = new Decoder(source.linkType, true);
    const collector = new Collector(of, behind);
    const limit = options.count ?? Number.POSITIVE_INFINITY;
    // A fault of the file was told by the first reading.
    await eachBatch(source, (batch, length) => {
      for (let at = 0; at < length && decoder.counters.frames < limit; at = decoder.next) {
        if (decoder.decode(batch, at)) collector.take(decoder.segment);
        if (collector.isOver(decoder.segment.timeUs)) return false;
      }
      return decoder.counters.frames < limit;
    });
    return { ...collector.end(), warning: source.warning };
  } finally {
    source.close();
  }
}

class Collector {
  readonly #of: TransactionCopy;
  readonly #parts: Parts;
  readonly #fromUs: number;
  readonly #endUs: number;
  readonly #untilUs: number;
  readonly #afterSegments: number;
  readonly #client: { readonly text: string; readonly port: number };
  readonly #server: { readonly text: string; readonly port: number };
  readonly #fromClient = new FlowWatch();
  readonly #fromServer = new FlowWatch();
  readonly #copies = new DuplicateFilter();
  readonly #selection = new Selection();
  readonly #closed: ClosedTimes;
  #before: Rung[] = [];
  #previousUs = Number.NaN;
  #after = 0;
  #isSettled = false;
  #isRequestCovered = false;
  #duplicates = 0;

  constructor(of: TransactionCopy, behind: TransactionCopy | null) {
    const isOwn = behind !== null && behind.connectionId === of.connectionId;
    this.#of = of;
    this.#parts = new Parts(of, isOwn ? behind : null);
    this.#fromUs = isOwn ? Math.min(of.startUs, behind.startUs) : of.startUs;
    const isAnswered = of.unanswered === "";
    this.#endUs = isAnswered ? of.endUs : of.startUs + of.waitedUs;
    this.#closed = new ClosedTimes(this.#endUs - of.startUs);
    this.#untilUs = isAnswered ? of.endUs + AFTER_US : Number.POSITIVE_INFINITY;
    this.#afterSegments = isAnswered ? AFTER_SEGMENTS : AFTER_UNANSWERED;
    this.#client = { text: of.client.text, port: portOf(of.client.text) };
    this.#server = { text: of.serverEndpoint.text, port: portOf(of.serverEndpoint.text) };
  }

  take(segment: Segment): void {
    const isFromClient = this.#isBetween(segment, this.#client, this.#server);
    if (!isFromClient && !this.#isBetween(segment, this.#server, this.#client)) return;
    const { timeUs } = segment;
    const isInside = timeUs >= this.#fromUs - BEFORE_US && timeUs <= this.#untilUs;
    if (this.#copies.isDuplicate(segment)) {
      if (isInside) this.#duplicates++;
      return;
    }
    const [flow, peer] = isFromClient ? [this.#fromClient, this.#fromServer] : [this.#fromServer, this.#fromClient];
    if ((segment.flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn && !isSameSyn(segment, flow)) {
      flow.reset();
      peer.reset();
    }
    const oddities = flow.note(segment, peer, this.#of.rttUs ?? 0);
    if (isInside && !this.#isSettled) this.#put(this.#rungOf(segment, isFromClient, oddities));
  }

  /** Nothing more of interest comes from here on. */
  isOver(timeUs: number): boolean {
    return timeUs > this.#untilUs + DISORDER_US;
  }

  end(): Omit<Ladder, "warning"> {
    for (const rung of this.#before) this.#selection.add(rung);
    const steps = withUnseen(this.#selection.end(), this.#of);
    return { steps, closed: this.#closed, duplicates: this.#duplicates };
  }

  #put(rung: Rung): void {
    const timeUs = this.#of.startUs + rung.atUs;
    this.#closed.note(rung.atUs, rung.oddities);
    if (timeUs < this.#fromUs) {
      this.#before.push(rung);
      if (this.#before.length > BEFORE_SEGMENTS) this.#before.shift();
      return;
    }
    for (const [index, each] of this.#before.entries()) {
      this.#selection.add(index === 0 ? { ...each, gapUs: null } : each);
    }
    this.#before = [];
    this.#selection.add(rung);
    if (timeUs <= this.#endUs) return;
    const isLast = rung.acknowledges === "response" || (rung.flags & TcpFlag.rst) !== 0;
    this.#isSettled = isLast || ++this.#after >= this.#afterSegments;
  }

  #rungOf(segment: Segment, isFromClient: boolean, oddities: readonly Oddity[]): Rung {
    const { timeUs, flags, payloadLength, sequence, acknowledgement, window } = segment;
    const gapUs = Number.isNaN(this.#previousUs) ? null : timeUs - this.#previousUs;
    this.#previousUs = timeUs;
    return {
      atUs: timeUs - this.#of.startUs,
      gapUs,
      isFromClient,
      flags,
      bytes: payloadLength,
      sequence: sequence >>> 0,
      acknowledgement: acknowledgement >>> 0,
      window,
      parts: payloadLength === 0 ? [] : this.#parts.of(isFromClient, sequence, payloadLength, timeUs),
      acknowledges: (flags & TcpFlag.ack) === 0 ? null : this.#coveredBy(isFromClient, acknowledgement),
      oddities,
    };
  }

  #coveredBy(isFromClient: boolean, acknowledgement: number): Rung["acknowledges"] {
    const { requestSequence, requestBytes, responseSequence, responseBytes } = this.#of;
    if (!isFromClient) {
      if (this.#isRequestCovered || distance(acknowledgement, (requestSequence + requestBytes) | 0) < 0) return null;
      this.#isRequestCovered = true;
      return "request";
    }
    if (responseSequence === null || distance(acknowledgement, (responseSequence + responseBytes) | 0) < 0) return null;
    return "response";
  }

  #isBetween(segment: Segment, from: { text: string; port: number }, to: { text: string; port: number }): boolean {
    if (segment.sourcePort !== from.port || segment.destinationPort !== to.port) return false;
    const { ipVersion: version } = segment;
    const source = addressText(version, segment.source0, segment.source1, segment.source2, segment.source3);
    if (endpointText(source, from.port) !== from.text) return false;
    const { destination0, destination1, destination2, destination3 } = segment;
    const destination = addressText(version, destination0, destination1, destination2, destination3);
    return endpointText(destination, to.port) === to.text;
  }
}

/**
 * Something was charged to segments sent again, and of none of them two copies or a hole were seen: then it is the one of this
 * message that came after the longest pause.
 */
function withUnseen(steps: Ladder["steps"], { resends }: TransactionCopy): Ladder["steps"] {
  if (resends === 0) return steps;
  const message = resentDirection(resends);
  let longest: Rung | null = null;
  for (const step of steps) {
    if (isElision(step) || !step.parts.some(({ what }) => what === message)) continue;
    if (isSentAgain(step)) return steps;
    if (step.gapUs !== null && step.atUs > 0 && step.gapUs > (longest?.gapUs ?? 0)) longest = step;
  }
  if (longest === null) return steps;
  const unseen: Rung = {
    ...longest,
    oddities: [...longest.oddities, { what: "retransmission_unseen", us: longest.gapUs ?? 0 }],
  };
  return steps.map((step) => (step === longest ? unseen : step));
}

/** A SYN sent again is of the same connection. */
function isSameSyn(segment: Segment, flow: FlowWatch): boolean {
  return flow.next !== null && distance(flow.next, segment.sequence) === 1;
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

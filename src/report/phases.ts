import { milliseconds } from "../outputs/plain-text.ts";
import { html, joined, type Markup } from "./html.ts";
import type { SlowRequest } from "./slowest.ts";

/** The parts of a latency, in the order drawn, and what each is in plain words. */
export const PHASES = {
  send: "sending the request",
  queue: "the server’s work on earlier requests of the same connection",
  retransmission: "waiting for lost segments to be sent again",
  network: "the way there and back",
  server: "the server’s work",
  wait: "the server and the network",
  receive: "receiving the response",
} as const;

export type Phase = keyof typeof PHASES;

/** A part of a latency, in µs. */
export interface PhaseTime {
  readonly phase: Phase;
  readonly us: number;
}

/** What a latency consists of: parts that add up to it, none of 0. Only what was measured is told apart from `wait`. */
export function phasesOf(request: SlowRequest): PhaseTime[] {
  const { latencyUs, sendUs, receiveUs, queueUs, verdict } = request;
  const measured = { send: sendUs, queue: queueUs, retransmission: 0, network: 0, server: null, receive: receiveUs };
  const { send, queue, retransmission, network, server, receive } = verdict?.shares ?? measured;
  const wait = server === null ? latencyUs - send - queue - retransmission - network - receive : 0;
  const parts: Record<Phase, number> = { send, queue, retransmission, network, server: server ?? 0, wait, receive };
  const phases = Object.keys(PHASES) as Phase[];
  return phases.map((phase) => ({ phase, us: parts[phase] })).filter(({ us }) => us > 0);
}

/** The times of many requests by phase, the largest first. */
export function sumPhases(requests: readonly SlowRequest[]): PhaseTime[] {
  const sums = new Map<Phase, number>();
  for (const { phase, us } of requests.flatMap(phasesOf)) sums.set(phase, (sums.get(phase) ?? 0) + us);
  return Array.from(sums, ([phase, us]) => ({ phase, us })).sort((a, b) => b.us - a.us);
}

const BAR_WIDTH = 1000;
/** So that the shortest bar is seen. */
const MIN_WIDTH = 12;

/** A bar, as wide as the latency is of `longestUs`, split by phase. */
export function phaseBar(request: SlowRequest, longestUs: number): Markup {
  const width = Math.max(MIN_WIDTH, (BAR_WIDTH * request.latencyUs) / Math.max(1, longestUs));
  let x = 0;
  const parts = phasesOf(request).map(({ phase, us }) => {
    const from = x;
    x += (us / request.latencyUs) * width;
    return html`<rect class="p-${phase}" x="${from.toFixed(1)}" y="0" width="${(x - from).toFixed(1)}" height="8"/>`;
  });
  return html`<svg class="bar" viewBox="0 0 ${BAR_WIDTH} 8" preserveAspectRatio="none" role="img" aria-label="${phaseText(request)}">${joined(parts)}</svg>`;
}

/** `wait 1.994, receive 7.447 ms`. */
export function phaseText(request: SlowRequest): string {
  const parts = phasesOf(request).map(({ phase, us }) => `${phase} ${milliseconds(us)}`);
  return parts.length === 0 ? "" : `${parts.join(", ")} ms`;
}

/** What the colours mean: those phases that occur. */
export function phaseLegend(requests: readonly SlowRequest[]): Markup {
  const used = new Set(requests.flatMap(phasesOf).map(({ phase }) => phase));
  const entries = (Object.keys(PHASES) as Phase[])
    .filter((phase) => used.has(phase))
    .map(
      (phase) =>
        html`<li><svg class="key" viewBox="0 0 8 8" aria-hidden="true"><rect class="p-${phase}" width="8" height="8"/></svg><b>${phase}</b> ${PHASES[phase]}</li>`,
    );
  return html`<ul class="legend">${joined(entries)}</ul>`;
}

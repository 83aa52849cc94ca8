import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DatagramSession, Parser, Protocol } from "../../src/protocols/protocol.ts";
import { type Event, RecordingExchange, type Wants } from "./recording-exchange.ts";

/** One fence of a transcript that is not an `expect`. */
export interface Step {
  readonly direction: "client" | "server";
  readonly bytes: Uint8Array;
  /** Bytes that cannot be seen, instead of `bytes`; 0 for none. */
  readonly missing: number;
  readonly isResync: boolean;
  /** The stream ends here. */
  readonly isEnd?: boolean;
  /** `bytes` are a datagram, of which `missing` bytes more were not captured. */
  readonly isDatagram?: boolean;
}

/** A dialogue and what an Exchange must have been told by it. */
export interface Case {
  readonly name: string;
  readonly line: number;
  readonly steps: readonly Step[];
  readonly expected: readonly string[] | null;
  /** What is expected with --show-values, or null. */
  readonly expectedWithValues: readonly string[] | null;
}

const CAPACITY_OF_EVERY_SPLIT = 5000;
const POISON = 0xee;

/** Bytes of a fence's text: line ends are ignored; `\r \n \t \0 \\ \xNN`, and `\{N text}` is the text N times. */
export function bytesOf(text: string): Uint8Array {
  const joined = text.replace(/\r?\n/g, "");
  const pattern = /\\(?:x([0-9a-fA-F]{2})|\{(\d+) ((?:[^\\}]|\\[^{])*)\}|([rnt0\\])|(.?))/g;
  const latin1 = joined.replace(pattern, (all, hex, count, repeated, letter, unknown) => {
    if (hex !== undefined) {
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    if (count !== undefined) {
      return Buffer.from(bytesOf(repeated)).toString("latin1").repeat(Number(count));
    }
    if (unknown !== undefined) {
      throw new Error(`unknown escape ${all}`);
    }
    return { r: "\r", n: "\n", t: "\t", "0": "\0", "\\": "\\" }[letter as string] as string;
  });
  return Buffer.from(latin1, "latin1");
}

function expectedLines(body: readonly string[]): string[] {
  const isFilled = (line: string) => line.trim() !== "";
  return body
    .filter(isFilled)
    .map((line) => line.replace(/\\\{(\d+) ([^}]*)\}/g, (_, count, text) => text.repeat(Number(count))));
}

function parseStep(info: string, text: string): Step {
  const [direction, verb, count] = info.split(/\s+/);
  assert.ok(direction === "client" || direction === "server", `unknown fence: ${info}`);
  const verbs = ["gap", "resync", "ends", "datagram"];
  assert.ok(verb === undefined || verbs.includes(verb), `unknown fence: ${info}`);
  assert.ok(verb !== "gap" || Number(count) > 0, `a gap of nothing: ${info}`);
  return {
    direction,
    bytes: verb === undefined || verb === "datagram" ? bytesOf(text) : new Uint8Array(),
    missing: Number(count ?? 0),
    isResync: verb === "resync",
    isEnd: verb === "ends",
    isDatagram: verb === "datagram",
  };
}

/** The cases of a transcript file; test/support/transcript.md describes the format. */
export function parseTranscript(markdown: string): Case[] {
  const cases: Case[] = [];
  const lines = markdown.split(/\r?\n/);
  let current: {
    name: string;
    line: number;
    steps: Step[];
    expected: string[] | null;
    values: string[] | null;
  } | null = null;
  const close = () => {
    if (current !== null && (current.steps.length > 0 || current.expected !== null)) {
      assert.ok(current.expected !== null || current.values !== null, `no expect block: ${current.name}`);
      const { name, line, steps, expected, values } = current;
      cases.push({ name, line, steps, expected, expectedWithValues: values });
    }
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string;
    const heading = /^#+\s+(.*)$/.exec(line)?.[1];
    if (heading !== undefined) {
      close();
      current = { name: heading, line: index + 1, steps: [], expected: null, values: null };
    }
    const info = /^```(.*)$/.exec(line)?.[1]?.trim();
    if (info === undefined) {
      continue;
    }
    const end = lines.indexOf("```", index + 1);
    assert.ok(end > 0 && current !== null, `line ${index + 1}: a fence without an end, or before the first heading`);
    const body = lines.slice(index + 1, end);
    if (info === "expect") {
      current.expected = expectedLines(body);
    } else if (info === "expect values") {
      current.values = expectedLines(body);
    } else {
      current.steps.push(parseStep(info, body.join("\n")));
    }
    index = end;
  }
  close();
  return cases;
}

/** Pushes a chunk, as the pipeline does. */
function push(exchange: RecordingExchange, parser: Parser, step: Step, streamOffset: number): boolean {
  // Not at the buffer's start, poison around and afterwards: the bytes are gone after the call.
  const { length } = step.bytes;
  const lead = length % 7;
  const buffer = new Uint8Array(length + lead + 3).fill(POISON);
  buffer.set(step.bytes, lead);
  exchange.pushing(lead, lead + length, streamOffset);
  const isTaken = parser.push(buffer, lead, lead + length);
  assert.equal(typeof isTaken, "boolean");
  buffer.fill(POISON);
  if (!isTaken) {
    exchange.note(`${step.direction} refused`);
    exchange.pushing(0, 0, streamOffset + length);
    // How much of the message was seen depends on the chunks: only what it is can be the same.
    const told = exchange.events.length;
    cutOff(exchange, parser, step);
    for (const event of exchange.events.splice(told)) {
      exchange.note(withoutKey(event));
    }
  }
  return isTaken;
}

/** Pushes a datagram, as the pipeline does. */
function pushDatagram(exchange: RecordingExchange, session: DatagramSession, step: Step, streamOffset: number): void {
  const { length } = step.bytes;
  const lead = length % 7;
  const buffer = new Uint8Array(length + lead + 3).fill(POISON);
  buffer.set(step.bytes, lead);
  const captured = lead + length;
  const end = captured + step.missing;
  exchange.pushing(lead, end, streamOffset);
  const isTaken =
    step.direction === "client"
      ? session.request(buffer, lead, captured, end)
      : session.response(buffer, lead, captured, end);
  buffer.fill(POISON);
  if (!isTaken) exchange.note(`${step.direction} refused`);
  exchange.dropped(step.direction);
}

/** Passes a hole, as the pipeline does. */
function gap(exchange: RecordingExchange, parser: Parser, step: Step, streamOffset: number): boolean {
  exchange.pushing(0, step.missing, streamOffset);
  const isBridged = parser.gap(step.missing);
  assert.equal(typeof isBridged, "boolean");
  if (!isBridged) {
    exchange.note(`${step.direction} lost`);
    cutOff(exchange, parser, step);
  }
  return isBridged;
}

function withoutKey(event: Event): string {
  return event.head.replace(/^(request \S+) ".*" (\w+)$/, "$1 $2");
}

function cutOff(exchange: RecordingExchange, parser: Parser, step: Step): void {
  if (step.direction === "client") {
    parser.cutOff?.();
  }
  exchange.dropped(step.direction);
}

/** Plays a dialogue into a fresh session and returns what was told. */
export function play(protocol: Protocol, steps: readonly Step[], wants: Wants): Event[] {
  const exchange = new RecordingExchange(protocol, wants);
  if (steps.some((step) => step.isDatagram)) return playDatagrams(protocol, exchange, steps);
  const session = protocol.createSession(exchange);
  const offset = { client: 0, server: 0 };
  const isLost = { client: false, server: false };
  let before: Step["direction"] = "client";
  for (const step of steps) {
    const { direction } = step;
    // The client has waited for what the server said.
    if (direction === "client" && before === "server" && exchange.keptCount > 0) session.decide?.(false);
    before = direction;
    const parser: Parser = direction === "client" ? session.requests : session.responses;
    if (step.isEnd) {
      exchange.pushing(0, 0, offset[direction]);
      if (!isLost[direction]) parser.ends?.();
    } else if (step.isResync) {
      parser.resync();
      exchange.dropped(direction);
      isLost[direction] = false;
    } else if (!isLost[direction]) {
      const at = offset[direction];
      isLost[direction] = !(step.missing > 0 ? gap(exchange, parser, step, at) : push(exchange, parser, step, at));
    }
    offset[direction] += step.bytes.length + step.missing;
  }
  if (exchange.keptCount > 0) session.decide?.(true);
  return exchange.events;
}

function playDatagrams(protocol: Protocol, exchange: RecordingExchange, steps: readonly Step[]): Event[] {
  const session = protocol.datagrams?.createSession(exchange);
  assert.ok(session, `${protocol.name} is not spoken in datagrams`);
  exchange.isInDatagrams = true;
  const offset = { client: 0, server: 0 };
  for (const step of steps) {
    assert.ok(step.isDatagram, "datagrams and streams do not mix");
    pushDatagram(exchange, session, step, offset[step.direction]);
    offset[step.direction] += step.bytes.length + step.missing;
  }
  return exchange.events;
}

function* cut(bytes: Uint8Array, at: number, step: Step): Generator<Step> {
  for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
    if (part.length > 0) {
      yield { ...step, bytes: part };
    }
  }
}

/** The same dialogue, byte by byte. */
function byteByByte(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.bytes.length === 0 || step.isDatagram
      ? [step]
      : Array.from(step.bytes, (byte) => ({ ...step, bytes: Uint8Array.of(byte) })),
  );
}

/** The same dialogue with each chunk in turn cut in two, at every place. Long chunks are cut at places spread evenly. */
function* everySplit(steps: readonly Step[]): Generator<Step[]> {
  for (const [index, step] of steps.entries()) {
    if (step.isDatagram) continue;
    const stride = Math.max(1, Math.ceil(step.bytes.length / CAPACITY_OF_EVERY_SPLIT));
    for (let at = 1; at < step.bytes.length; at += stride) {
      yield [...steps.slice(0, index), ...cut(step.bytes, at, step), ...steps.slice(index + 1)];
    }
  }
}

/** Whether an expected line says what happened: the event's head, then any of its details, in any order. */
function matches(expected: string, event: Event): boolean {
  if (expected !== event.head && !expected.startsWith(`${event.head} `)) {
    return false;
  }
  let rest = expected.slice(event.head.length).trim();
  while (rest !== "") {
    const detail = event.details.find((each) => rest === each || rest.startsWith(`${each} `));
    if (detail === undefined) {
      return false;
    }
    rest = rest.slice(detail.length).trim();
  }
  return true;
}

/** Fails unless the events are the expected ones, in order. */
export function assertEvents(actual: readonly Event[], expected: readonly string[]): void {
  const shown = actual.map((event, index) => {
    const line = expected[index]?.trim();
    return line !== undefined && matches(line, event) ? line : [event.head, ...event.details].join(" ");
  });
  assert.deepEqual(
    shown,
    expected.map((line) => line.trim()),
  );
}

function runCase(
  protocol: Protocol,
  steps: readonly Step[],
  expected: readonly string[],
  more: Omit<Wants, "text">,
): void {
  const wants = { text: true, ...more };
  const whole = play(protocol, steps, wants);
  assertEvents(whole, expected);
  assert.deepEqual(play(protocol, byteByByte(steps), wants), whole, "byte by byte differs");
  for (const split of everySplit(steps)) {
    assert.deepEqual(play(protocol, split, wants), whole, "a split differs");
  }
  const withoutText = play(protocol, steps, { ...more, text: false, values: false });
  assert.deepEqual(withoutText.map(withoutKey), whole.map(withoutKey), "without text the messages differ");
}

/**
 * Makes a test of every case in test/protocols/`file` (see test/support/transcript.md), with --details where `details`. Tests run in the
 * project's root.
 */
export function testTranscript(protocol: Protocol, file: string, details = true): void {
  for (const each of parseTranscript(readFileSync(join("test", "protocols", file), "utf8"))) {
    test(`${each.name} (line ${each.line})`, () => {
      if (each.expected !== null) {
        runCase(protocol, each.steps, each.expected, { values: false, details });
      }
      if (each.expectedWithValues !== null) {
        runCase(protocol, each.steps, each.expectedWithValues, { values: true, details });
      }
    });
  }
}

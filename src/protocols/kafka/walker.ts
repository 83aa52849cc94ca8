import type { Exchange } from "../protocol.ts";
import { Details } from "./details.ts";
import { UNSUPPORTED_VERSION } from "./errors.ts";
import { Integers, STARVED } from "./integers.ts";
import { Op, type Program, Role, STEP } from "./layout.ts";
import { Proof } from "./proof.ts";
import { isNoUuid, uuidText } from "./uuid.ts";

// Runs for every message.

/** Arrays within arrays: no layout has more. */
const MAX_DEPTH = 4;
/** Steps of one message, so that a count from the wire costs no more than this; what follows is passed. */
const MAX_STEPS = 1 << 16;
/** Bytes of a client's name that are shown: the key is to have room behind it. */
const MAX_CLIENT_BYTES = 48;

const encoder = new TextEncoder();
const CLIENT_TEXT = encoder.encode("client=");
const GROUP_TEXT = encoder.encode("group=");
/** Of -1 (all replicas), 0 (none) and 1 (the leader). */
const ACKS_TEXTS = [-1, 0, 1].map((acks) => encoder.encode(`acks=${acks}`));

/** Reads one message's fields, however it is cut, and stops where a length cannot be. */
export class Walker {
  /** The first error code that is not 0. */
  errorCode = 0;
  throttleMs = 0;
  acks = 1;
  maxWaitMs = 0;
  /** Bytes of records seen so far, -1 as soon as it cannot be said. */
  recordBytes = 0;
  /** A length cannot be, or bytes of it are missing: nothing more is read. */
  isBroken = false;
  /** Nothing more is to be read. */
  isOver = true;

  /** What an answer with UNSUPPORTED_VERSION is written in, where not in the request's version (ApiVersions, KIP-511). */
  unsupported: Program | null = null;

  private readonly exchange: Exchange | null;
  private readonly details: Details | null;
  private readonly wantsText: boolean;
  private steps: Int32Array = new Int32Array(0);
  private at = 0;
  private left = 0;
  /** Bytes of the text, or of what is of no interest, still to come. */
  private passing = 0;
  private isText = false;
  private hasKey = false;
  private isRequest = false;
  private isKeyTheEnd = false;
  /** The text being passed is the last thing that is asked for. */
  private isLast = false;
  private readonly integers = new Integers();
  private shown = 0;
  /** Of a message that is only looked at. */
  private readonly proof = new Proof();
  /** Tagged fields still to come; -1: their count is. */
  private tags = -1;
  private isTagSize = false;
  private readonly counts = new Int32Array(MAX_DEPTH);
  private depth = 0;
  private stepsLeft = 0;

  /** With an exchange its texts and details are told; without one a message is only looked at. */
  constructor(exchange: Exchange | null) {
    this.exchange = exchange;
    this.wantsText = exchange?.wantsText ?? false;
    this.details = exchange?.wantsDetails ? new Details(exchange) : null;
  }

  /** Of a message that is only looked at: it is surely one. */
  get isProven(): boolean {
    return this.proof.isThere;
  }

  /** A message begins: a request's text ends with its key. */
  begin(program: Program | null, isRequest: boolean): void {
    this.errorCode = 0;
    this.throttleMs = 0;
    this.acks = 1;
    this.maxWaitMs = 0;
    this.recordBytes = 0;
    this.isBroken = false;
    this.isOver = program === null;
    this.proof.begin();
    this.unsupported = null;
    this.isRequest = isRequest;
    // Nothing behind it is asked for.
    this.isKeyTheEnd = isRequest && this.details === null;
    if (program === null) return;
    this.steps = program.steps;
    this.at = 0;
    this.passing = 0;
    this.isText = false;
    this.shown = 0;
    this.hasKey = false;
    this.isLast = false;
    this.integers.begin();
    this.tags = -1;
    this.isTagSize = false;
    this.depth = 0;
    this.stepsLeft = MAX_STEPS;
    this.details?.begin(program.names);
  }

  /** Takes bytes[start, end); `left` is how many of the message are still to come, these included. */
  walk(bytes: Uint8Array, start: number, end: number, left: number): void {
    let at = start;
    while (!this.isOver) {
      if (this.passing > 0) {
        const passed = Math.min(this.passing, end - at);
        if (this.isText && passed > 0) this.text(bytes, at, at + passed);
        this.passing -= passed;
        at += passed;
        if (this.passing > 0) return;
        this.isText = false;
        this.shown = 0;
        this.isOver = this.isLast;
        if (this.isOver) return;
      }
      this.left = left - (at - start);
      at = this.step(bytes, at, end);
      if (at === STARVED) return;
    }
  }

  /** So many bytes of the message cannot be seen. */
  gap(missing: number): void {
    if (this.isOver) return;
    if (this.passing >= missing && !this.isText) {
      this.passing -= missing;
      return;
    }
    if (this.wantsText && this.isRequest && (this.shown > 0 || !this.hasKey)) this.exchange!.textCut();
    this.break();
  }

  private break(): void {
    this.isBroken = true;
    this.isOver = true;
    this.recordBytes = -1;
  }

  /** Returns where it stopped, or STARVED where bytes are missing: then all there were have been taken. */
  private step(bytes: Uint8Array, at: number, end: number): number {
    const steps = this.steps;
    const step = this.at;
    const argument = steps[step + 1]!;
    switch (steps[step]) {
      case Op.skip:
        return this.pass(argument, at);
      case Op.number:
        return this.number(bytes, at, end, argument);
      case Op.uuid:
        return this.uuid(bytes, at, end);
      case Op.text:
        return this.fixedLength(bytes, at, end, 2);
      case Op.bytes:
      case Op.integers:
      case Op.array:
        return this.fixedLength(bytes, at, end, 4);
      case Op.compactText:
      case Op.compactBytes:
      case Op.compactIntegers:
      case Op.compactArray:
        return this.varLength(bytes, at, end);
      case Op.next:
        this.next(argument);
        return at;
      case Op.tags:
        return this.tag(bytes, at, end);
      default:
        this.isOver = true;
        if (argument === 1) this.recordBytes = -1;
        return at;
    }
  }

  private advance(): void {
    this.at += STEP;
    if (--this.stepsLeft <= 0) this.break();
  }

  /** `size` bytes are passed, unless the message has not so many. */
  private pass(size: number, at: number): number {
    if (size > this.left) this.break();
    this.passing = size;
    this.advance();
    return at;
  }

  private number(bytes: Uint8Array, at: number, end: number, size: number): number {
    const next = this.integers.fixed(bytes, at, end, size);
    if (next !== STARVED) this.told(this.integers.value);
    return next;
  }

  private told(value: number): void {
    const role = this.steps[this.at + 2];
    switch (role) {
      case Role.error:
        if (this.errorCode === 0) this.errorCode = value;
        if (value === UNSUPPORTED_VERSION && this.unsupported !== null) this.steps = this.unsupported.steps;
        break;
      case Role.throttle:
        this.throttleMs = value;
        break;
      case Role.wait:
        this.maxWaitMs = value;
        break;
      case Role.acks:
        this.acks = value;
        if (value < -1 || value > 1) this.break();
        else if (this.wantsText) this.word(ACKS_TEXTS[value + 1]!);
        break;
      default:
    }
    this.details?.tell(this.steps[this.at + 3]!, value, this.steps[this.at + 2]!);
    this.advance();
  }

  private word(text: Uint8Array): void {
    this.exchange!.word(false);
    this.exchange!.text(text, 0, text.length);
  }

  private uuid(bytes: Uint8Array, at: number, end: number): number {
    const next = this.integers.uuid(bytes, at, end);
    if (next === STARVED) return STARVED;
    const { held } = this.integers;
    const role = this.steps[this.at + 2];
    const name = this.steps[this.at + 3]!;
    this.details?.tell(name, Buffer.from(uuidText(held)).toString("latin1"), Role.none);
    this.advance();
    if (role !== Role.key || this.hasKey || isNoUuid(held)) return next;
    this.hasKey = true;
    if (this.wantsText) {
      const text = uuidText(held);
      this.exchange!.word(true);
      this.exchange!.text(text, 0, text.length);
    }
    if (this.isKeyTheEnd) this.isOver = true;
    return next;
  }

  private fixedLength(bytes: Uint8Array, at: number, end: number, size: number): number {
    const next = this.integers.fixed(bytes, at, end, size);
    if (next === STARVED) return STARVED;
    this.left -= next - at;
    this.measured(this.integers.value);
    return next;
  }

  /** Lengths and counts in varints are one more than they are; 0 is null. */
  private varLength(bytes: Uint8Array, at: number, end: number): number {
    const next = this.integers.varint(bytes, at, end);
    if (next === STARVED) return STARVED;
    this.left -= next - at;
    this.measured(this.integers.value - 1);
    return next;
  }

  /** What the step has read the length of; negative: null. */
  private measured(length: number): void {
    const op = this.steps[this.at]!;
    if (op === Op.array || op === Op.compactArray) {
      this.array(length);
      return;
    }
    const isIntegers = op === Op.integers || op === Op.compactIntegers;
    const size = Math.max(0, isIntegers ? length * 4 : length);
    if (length < -1 || size > this.left) {
      this.break();
      return;
    }
    if (op === Op.bytes || op === Op.compactBytes) this.bytes(size);
    else this.begins(size, length < 0, isIntegers);
    this.passing = size;
    this.advance();
  }

  private bytes(size: number): void {
    if (this.steps[this.at + 1] !== 1) return;
    if (this.exchange === null && size > 0) this.looksAt(true);
    this.recordBytes += size;
    this.details?.tellRecords(this.steps[this.at + 3]!, size);
  }

  /** A text (or an array of integers) of so many bytes follows. */
  private begins(size: number, isNull: boolean, isIntegers: boolean): void {
    if (!isNull) this.details?.gather(this.steps[this.at + 3]!, size, isIntegers);
    this.isText = this.details !== null;
    if (size === 0) return;
    if (this.exchange === null && !isIntegers) this.looksAt(false);
    switch (this.steps[this.at + 2]) {
      case Role.key:
        if (this.hasKey) return;
        this.hasKey = true;
        this.isLast = this.isKeyTheEnd;
        if (this.wantsText) this.exchange!.word(true);
        this.shows(size);
        return;
      case Role.client:
        if (this.wantsText) this.word(CLIENT_TEXT);
        this.shows(MAX_CLIENT_BYTES);
        return;
      case Role.group:
        if (this.wantsText) this.word(GROUP_TEXT);
        this.shows(size);
        return;
      default:
    }
  }

  private shows(size: number): void {
    if (!this.wantsText) return;
    this.shown = size;
    this.isText = true;
  }

  private array(count: number): void {
    // Every element has a byte at least.
    if (count < -1 || count > this.left) {
      this.break();
      return;
    }
    const behind = this.steps[this.at + 1]!;
    if (count <= 0) {
      this.at = behind;
      return;
    }
    if (this.depth === MAX_DEPTH) {
      this.break();
      return;
    }
    this.counts[this.depth++] = count;
    const role = this.steps[this.at + 2]!;
    const name = this.steps[this.at + 3]!;
    if (role === Role.count) this.details?.tell(name, count, role);
    else this.details?.open(name, role === Role.row);
    this.advance();
  }

  private next(body: number): void {
    const depth = this.depth - 1;
    const left = this.counts[depth]! - 1;
    const isTold = this.details !== null && this.steps[this.at + 2] !== Role.count;
    this.counts[depth] = left;
    if (left > 0) {
      if (isTold) this.details!.next();
      this.at = body;
      if (--this.stepsLeft <= 0) this.break();
      return;
    }
    this.depth = depth;
    if (isTold) this.details!.close();
    this.advance();
  }

  /** Tagged fields, all of them passed. */
  private tag(bytes: Uint8Array, at: number, end: number): number {
    const next = this.integers.varint(bytes, at, end);
    if (next === STARVED) return STARVED;
    const { value } = this.integers;
    this.left -= next - at;
    if (this.tags < 0) this.tags = value;
    else if (!this.isTagSize) this.isTagSize = true;
    else {
      this.isTagSize = false;
      this.tags--;
      if (value > this.left) this.break();
      this.passing = value;
      if (--this.stepsLeft <= 0) this.break();
    }
    if (this.tags !== 0) return next;
    this.tags = -1;
    this.advance();
    return next;
  }

  private looksAt(isRecords: boolean): void {
    this.isText = true;
    this.proof.expect(isRecords);
  }

  private text(bytes: Uint8Array, start: number, end: number): void {
    if (this.exchange === null) {
      this.proof.look(bytes, start, end, this.passing);
      return;
    }
    this.details?.text(bytes, start, end);
    const shown = Math.min(this.shown, end - start);
    if (shown === 0) return;
    this.exchange.text(bytes, start, start + shown);
    this.shown -= shown;
  }
}

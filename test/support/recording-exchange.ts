import {
  CLASS_NAMES,
  type Exchange,
  NO_ERROR,
  NO_REPLY,
  NONE_PENDING,
  OTHER,
  type Protocol,
  type TransactionClass,
} from "../../src/protocols/protocol.ts";

/** One thing an Exchange was told: `head` always holds, `details` are compared where a transcript names them. */
export interface Event {
  readonly head: string;
  readonly details: readonly string[];
}

interface Word {
  readonly isKey: boolean;
  text: string;
}

/** Which of the optional things a session is asked to report. */
export interface Wants {
  readonly text: boolean;
  readonly values: boolean;
  /** They are, unless this says otherwise. */
  readonly details?: boolean;
}

interface PendingRequest {
  readonly command: string;
  readonly id: number;
  replyKind: number;
  /** Of the parts of its response that have come, by `partialAnswerById`. */
  partialBytes: number;
}

/** Printable ASCII as it is, everything else, quotes and backslashes as `\xNN`. */
function quote(latin1: string): string {
  const escaped = latin1.replace(/[^ !#-[\]-~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

function check(holds: boolean, complaint: string): asserts holds {
  if (!holds) {
    throw new Error(`the session broke the contract: ${complaint}`);
  }
}

/**
 * An Exchange that writes down what it is told, pairs as the contract in protocol.ts says, and throws where a session
 * breaks that contract (calls out of order, an `at` outside the bytes being pushed, an id outside its table).
 */
export class RecordingExchange implements Exchange {
  readonly events: Event[] = [];
  /** What is told stands in datagrams. */
  isInDatagrams = false;
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  readonly wantsDetails: boolean;
  readonly pathDepth = Number.POSITIVE_INFINITY;
  readonly #protocol: Protocol;
  readonly #pending: PendingRequest[] = [];
  #hasPaired = false;
  #words: Word[] = [];
  #isCut = false;
  #requestStart = -1;
  #responseStart = -1;
  #responseBytesBefore = 0;
  readonly #kept: { readonly bytes: number; readonly errorId: number }[] = [];
  #start = 0;
  #end = 0;
  #streamOffset = 0;

  constructor(protocol: Protocol, wants: Wants) {
    this.#protocol = protocol;
    this.wantsText = wants.text;
    this.wantsValues = wants.values;
    this.wantsDetails = wants.details ?? true;
  }

  /** The bytes about to be pushed are bytes[start, end) of their buffer, and stand at `streamOffset` in their direction. */
  pushing(start: number, end: number, streamOffset: number): void {
    this.#start = start;
    this.#end = end;
    this.#streamOffset = streamOffset;
  }

  /** A direction's half-read message is dropped. */
  dropped(direction: "client" | "server"): void {
    if (direction === "client") {
      this.#requestStart = -1;
    } else {
      this.#responseStart = -1;
      this.#kept.length = 0;
    }
  }

  note(head: string, ...details: string[]): void {
    this.events.push({ head, details });
  }

  #offset(at: number): number {
    check(Number.isInteger(at) && at >= this.#start && at <= this.#end, `at ${at} is outside the bytes being pushed`);
    return this.#streamOffset + at - this.#start;
  }

  requestBegins(at: number): void {
    check(this.#requestStart < 0, "a request begins within a request");
    check(at < this.#end, "a request begins behind the bytes being pushed");
    this.#requestStart = this.#offset(at);
    this.#words = [];
    this.#isCut = false;
  }

  word(isKey: boolean): void {
    check(this.#requestStart >= 0, "a word outside a request");
    this.#words.push({ isKey, text: "" });
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    const word = this.#words.at(-1);
    check(this.#requestStart >= 0 && word !== undefined, "text outside a word");
    check(start >= 0 && start <= end && end <= bytes.length, "text outside its buffer");
    word.text += Buffer.from(bytes.subarray(start, end)).toString("latin1");
  }

  redacted(): void {
    check(this.#requestStart >= 0, "a redacted word outside a request");
    this.#words.push({ isKey: false, text: "(redacted)" });
  }

  textCut(): void {
    check(this.#requestStart >= 0, "a cut text outside a request");
    this.#isCut = true;
  }

  request(
    bytes: Uint8Array,
    at: number,
    end: number,
    commandId: number,
    transactionClass: number,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.requestBegins(at);
    if (this.wantsText) {
      this.word(false);
      this.text(bytes, nameStart, nameEnd);
      if (keyStart > 0) {
        this.word(true);
        this.text(bytes, keyStart, keyEnd);
      }
    }
    this.requestEnds(end, commandId, transactionClass, 0, 0);
  }

  requests(
    bytes: Uint8Array,
    at: number,
    end: number,
    count: number,
    commandId: number,
    transactionClass: number,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    const length = (end - at) / count;
    check(Number.isInteger(length) && count > 1, `${count} requests in ${end - at} bytes`);
    for (let by = 0; by < end - at; by += length) {
      const [from, to] = keyStart === 0 ? [0, 0] : [keyStart + by, keyEnd + by];
      const start = at + by;
      this.request(bytes, start, start + length, commandId, transactionClass, nameStart + by, nameEnd + by, from, to);
    }
  }

  response(at: number, end: number): void {
    this.responseBegins(at);
    this.answer(end, NO_ERROR);
  }

  /** Each is told by itself, so that it can be written down. */
  readonly together = 1;

  responses(): void {
    check(false, "responses are told together that may not be");
  }

  requestEnds(at: number, commandId: number, transactionClass: number, replyKind: number, id: number): void {
    check(this.#requestStart >= 0, "a request ends that never began");
    this.#requested(this.#offset(at) - this.#requestStart, commandId, transactionClass, replyKind, id);
  }

  requestEndsEarly(bytes: number, commandId: number, transactionClass: number, replyKind: number, id: number): void {
    check(this.#requestStart >= 0 && this.#responseStart >= 0, "a request ends early that never began, or unanswered");
    check(bytes > 0 && this.#pending.length === 0, "a request ends early of which nothing came, or another waits");
    this.#requested(bytes, commandId, transactionClass, replyKind, id);
  }

  #requested(bytes: number, commandId: number, transactionClass: number, replyKind: number, id: number): void {
    const command = this.#protocol.commands[commandId];
    const className = CLASS_NAMES[transactionClass];
    check(command !== undefined, `command ${commandId} is not in the table`);
    check(className !== undefined, `there is no class ${transactionClass}`);
    check((replyKind | 0) === replyKind && replyKind >= NO_REPLY, `replyKind ${replyKind} is no 31-bit integer`);
    check((id | 0) === id, `id ${id} is no 32-bit integer`);
    const key = this.#words.find((word) => word.isKey);
    const details = [`${bytes} bytes`, `id ${id}`];
    if (this.wantsText) {
      details.push(`text ${quote(this.#words.map((word) => word.text).join(" "))}`, this.#isCut ? "cut" : "uncut");
    }
    this.note(`request ${command}${key === undefined ? "" : ` ${quote(key.text)}`} ${className}`, ...details);
    this.#requestStart = -1;
    if (replyKind === NO_REPLY) {
      this.note(`no reply ${command}`);
    } else {
      const before = this.#pending.findIndex((request) => this.isInDatagrams && request.id === id);
      if (before >= 0) this.note(`given up ${this.#pending.splice(before, 1)[0]!.command}`, `id ${id}`);
      this.#pending.push({ command, id, replyKind, partialBytes: 0 });
    }
  }

  replyOptional(): void {
    check(this.#requestStart >= 0, "a reply is optional outside a request");
    this.note("optional");
  }

  requestVoid(): void {
    check(this.#requestStart >= 0, "a request is void that never began");
    this.#requestStart = -1;
    this.note("void");
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  get hasPaired(): boolean {
    return this.#hasPaired;
  }

  replyKindAt(position: number): number {
    return this.#pending[position]?.replyKind ?? NONE_PENDING;
  }

  get oldestCommandId(): number {
    return Math.max(OTHER, this.#protocol.commands.indexOf(this.#pending[0]?.command ?? ""));
  }

  idAt(position: number): number {
    return this.#pending[position]?.id ?? 0;
  }

  positionOf(id: number, mask: number, from: number): number {
    return this.#pending.findIndex((request, at) => at >= from && ((request.id ^ id) & mask) === 0);
  }

  replyKindOf(id: number): number {
    return this.#pending.find((request) => request.id === id)?.replyKind ?? NONE_PENDING;
  }

  setReplyKind(replyKind: number): void {
    const oldest = this.#pending[0];
    check(oldest !== undefined && replyKind >= 0, "the replyKind of no request");
    oldest.replyKind = replyKind;
  }

  responseBegins(at: number): void {
    check(this.#responseStart < 0, "a response begins within a response");
    check(at < this.#end, "a response begins behind the bytes being pushed");
    this.#responseStart = this.#offset(at);
  }

  responseVoid(): void {
    check(this.#responseStart >= 0, "a response is void that never began");
    this.#responseStart = -1;
  }

  #responseEnds(at: number): number {
    check(this.#responseStart >= 0, "a response ends that never began");
    const bytes = this.#offset(at) - this.#responseStart;
    this.#responseStart = -1;
    return bytes;
  }

  answer(at: number, errorId: number): void {
    check(this.#kept.length === 0, "an answer while others are kept");
    const bytes = this.#responseEnds(at) + this.#responseBytesBefore;
    this.#responseBytesBefore = 0;
    this.#answered(bytes, errorId);
  }

  answerById(at: number, id: number, errorId: number): void {
    const at0 = this.#pending.findIndex((request) => request.id === id);
    if (at0 > 0) this.#pending.unshift(...this.#pending.splice(at0, 1));
    const bytes = this.#responseEnds(at);
    if (at0 < 0) this.note("unmatched", `${bytes} bytes`, `id ${id}`);
    else this.#answered(bytes, errorId, `id ${id}`);
  }

  partialAnswerById(at: number, id: number): void {
    const bytes = this.#responseEnds(at);
    const request = this.#pending.find((each) => each.id === id);
    this.note(request === undefined ? "unmatched" : `partial ${request.command}`, `${bytes} bytes`, `id ${id}`);
    if (request !== undefined) request.partialBytes += bytes;
  }

  becomes(transactionClass: TransactionClass): void {
    check(this.#responseStart >= 0, "a class outside a response");
    const className = CLASS_NAMES[transactionClass];
    check(className !== undefined, `there is no class ${transactionClass}`);
    this.note(`becomes ${className}`);
  }

  requestAgain(id: number): boolean {
    check(this.#requestStart >= 0, "a request is sent again that never began");
    const request = this.#pending.find((each) => each.id === id);
    if (request === undefined) return false;
    this.note(`again ${request.command}`, `id ${id}`);
    this.#requestStart = -1;
    return true;
  }

  bringsNothing(id: number, maxWaitMs: number): void {
    check(this.#responseStart >= 0, "nothing is brought outside a response");
    check(maxWaitMs >= 0 && this.replyKindOf(id) !== NONE_PENDING, "nothing is brought to no request");
    this.note(`brings nothing in ${maxWaitMs} ms`, `id ${id}`);
  }

  detail(name: string, value: string | number): void {
    check(this.#requestStart >= 0 || this.#responseStart >= 0, "a detail outside a message");
    check(typeof value === "string" || Number.isFinite(value), `a detail that is ${value}`);
    this.note(`detail ${name} ${typeof value === "string" ? quote(value) : value}`);
  }

  keep(at: number, errorId: number): void {
    this.#kept.push({ bytes: this.#responseEnds(at), errorId });
  }

  answerKept(): void {
    const kept = this.#kept.shift();
    check(kept !== undefined, "no message is kept");
    this.#answered(kept.bytes, kept.errorId);
  }

  /** Messages that are kept. */
  get keptCount(): number {
    return this.#kept.length;
  }

  #answered(bytes: number, errorId: number, ...details: string[]): void {
    const error = errorId === NO_ERROR ? "ok" : this.#protocol.errors[errorId];
    check(error !== undefined, `error ${errorId} is not in the table`);
    const request = this.#pending.shift();
    if (request === undefined) {
      this.note("unmatched", `${bytes} bytes`);
      return;
    }
    this.#hasPaired = true;
    this.note(
      `answer ${request.command} ${errorId === NO_ERROR ? "ok" : `error ${error}`}`,
      `${bytes + request.partialBytes} bytes`,
      ...details,
    );
  }

  partialAnswer(at: number): void {
    const bytes = this.#responseEnds(at);
    const request = this.#pending[0];
    this.#responseBytesBefore += request === undefined ? 0 : bytes;
    this.note(request === undefined ? "unmatched" : `partial ${request.command}`, `${bytes} bytes`);
  }

  push(at: number): void {
    this.note("push", `${this.#responseEnds(at)} bytes`);
  }

  settleSilently(): void {
    const request = this.#pending.shift();
    check(request !== undefined, "there is no request to settle");
    this.note(`settled ${request.command}`);
  }

  orphan(at: number): void {
    this.note("orphan", `${this.#responseEnds(at)} bytes`);
  }

  unasked(at: number): void {
    this.note("unmatched", `${this.#responseEnds(at)} bytes`);
  }

  leaves(): void {
    this.note("leaves");
  }

  lookups(hits: number, misses: number): void {
    check(hits >= 0 && misses >= 0 && hits + misses > 0, `lookups of ${hits} hits and ${misses} misses`);
    this.note(`lookups ${hits} ${hits === 1 ? "hit" : "hits"} ${misses} ${misses === 1 ? "miss" : "misses"}`);
  }
}

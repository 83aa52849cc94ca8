import type { Exchange } from "../../src/protocols/protocol.ts";

/** One line of what a piece's process prints. */
export interface Told {
  readonly work: string;
  readonly ns: number;
  /** Other work of the same process, to compare with. */
  readonly beside: string | null;
}

const ROUNDS = 3;

/** Tells a number to `pieces.ts`, one line of JSON. */
export function tell(work: string, ns: number, beside: string | null = null): void {
  console.log(JSON.stringify({ work, ns, beside } satisfies Told));
}

/** CPU time since `from`, in ns: whatever else runs on this machine is not in it. */
export function cpuNs(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) * 1000;
}

/** Calls `run` so often, three times, and tells what a call of the last time cost. */
export function bench(work: string, times: number, run: (index: number) => void, beside: string | null = null): void {
  for (let round = 1; round <= ROUNDS; round++) {
    const cpu = process.cpuUsage();
    for (let i = 0; i < times; i++) run(i);
    const ns = cpuNs(cpu) / times;
    if (round === ROUNDS) tell(work, ns, beside);
  }
}

/** An Exchange that costs next to nothing: of those that are pending the last one's kind is everybody's, and nobody is told of it. */
export class CheapExchange implements Exchange {
  readonly wantsText = false;
  readonly wantsValues = false;
  readonly wantsDetails = false;
  readonly pathDepth = Number.POSITIVE_INFINITY;
  #replyKind = -2;
  /** Only of those told by `request` and `requests`. */
  #waiting = 0;
  /** Requests answered: whoever measures can tell that both parsers did their work. */
  answered = 0;

  get pendingCount(): number {
    return this.#replyKind === -2 ? 0 : 1;
  }
  requestEnds(_at: number, _command: number, _class: number, replyKind: number): void {
    this.#replyKind = replyKind;
  }
  request(): void {
    this.#replyKind = 0;
    this.#waiting++;
  }
  requests(_bytes: Uint8Array, _at: number, _end: number, count: number): void {
    this.#replyKind = 0;
    this.#waiting += count;
  }
  response(): void {
    this.responses(0, 0, 1);
  }
  get together(): number {
    return this.#waiting;
  }
  responses(_at: number, _end: number, count: number): void {
    this.answered += count;
    this.#waiting -= count;
    if (this.#waiting === 0) this.#replyKind = -2;
  }
  readonly oldestCommandId = 0;
  readonly hasPaired = true;
  replyKindAt(position: number): number {
    return position === 0 ? this.#replyKind : -2;
  }
  setReplyKind(replyKind: number): void {
    this.#replyKind = replyKind;
  }
  answer(): void {
    this.#replyKind = -2;
    this.answered++;
  }
  answerById(): void {
    this.answer();
  }
  replyKindOf(): number {
    return this.#replyKind;
  }
  partialAnswerById(): void {}
  becomes(): void {}
  requestAgain(): boolean {
    return false;
  }
  bringsNothing(): void {}
  detail(): void {}
  positionOf(): number {
    return -1;
  }

  idAt(): number {
    return 0;
  }
  requestBegins(): void {}
  word(): void {}
  text(): void {}
  redacted(): void {}
  textCut(): void {}
  replyOptional(): void {}
  requestEndsEarly(): void {}
  requestVoid(): void {}
  responseVoid(): void {}
  responseBegins(): void {}
  partialAnswer(): void {}
  keep(): void {}
  answerKept(): void {}
  push(): void {}
  settleSilently(): void {}
  orphan(): void {}
  unasked(): void {}
  leaves(): void {}
  lookups(): void {}
}

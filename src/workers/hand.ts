import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { FanoutGroup } from "../capture/fanout.ts";
import { type ErrorCode, TcplatError } from "../errors.ts";
import type { Block } from "./block.ts";
import type { Order, Report, WorkerNumbers, WorkerStart } from "./messages.ts";

type Done = Extract<Report, { kind: "done" }>;

/** A worker thread, as the main thread sees it. */
export class Hand {
  /** Its last numbers, and when they came, as `performance.now()` has it. */
  numbers: WorkerNumbers | null = null;
  numbersAtMs = 0;
  isUp = true;
  /** Of the libpcap that it uses, or "". */
  libpcapVersion = "";
  /** It has told everything, or was dismissed. */
  isDone = false;
  onBlock: (block: Block) => void = () => {};
  onUp: () => void = () => {};
  readonly #worker: Worker;
  readonly #name: string;
  readonly #port: MessagePort;
  readonly #answers: Int32Array;
  #asked = 0;
  readonly #ready = new Outcome<FanoutGroup | null>();
  readonly #done = new Outcome<Done>();

  /** `program` is the thread's, another one than ours only in tests. */
  constructor(start: Omit<WorkerStart, "numbers">, program: URL = new URL("./worker.js", import.meta.url)) {
    const { port1, port2 } = new MessageChannel();
    const answers = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const workerData: WorkerStart = { ...start, numbers: { port: port2, answers } };
    this.#name = `worker ${start.index + 1} of ${start.workers}`;
    this.#port = port1;
    this.#answers = new Int32Array(answers);
    this.#worker = new Worker(program, { workerData, transferList: [port2] });
    this.#worker.on("message", (report: Report) => this.#hear(report));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (status) => this.#fail(new Error(`it ended with status ${status}`)));
  }

  /** Resolves once its source is open. Rejects with TcplatError. */
  ready(): Promise<FanoutGroup | null> {
    return this.#ready.promise;
  }

  /** Resolves once it has told everything. Rejects when it has died. */
  done(): Promise<Done> {
    return this.#done.promise;
  }

  order(order: Order, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  /** Asks for its numbers, unless it still owes them. */
  ask(): void {
    if (this.isDone || Atomics.load(this.#answers, 0) !== this.#asked) return;
    this.#asked++;
    this.#port.postMessage(null);
  }

  /** Waits for the answer, at most until `deadlineMs` as `performance.now()` has it; then the last numbers stand. */
  collect(deadlineMs: number): void {
    // An answer that came after its deadline may still lie there: it is older than the last word.
    if (this.isDone) return;
    const before = this.#asked - 1;
    while (Atomics.load(this.#answers, 0) === before) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) break;
      Atomics.wait(this.#answers, 0, before, leftMs);
    }
    for (let got = receiveMessageOnPort(this.#port); got !== undefined; got = receiveMessageOnPort(this.#port)) {
      this.#note(got.message as WorkerNumbers);
    }
  }

  dismiss(): void {
    this.isDone = true;
    this.#port.close();
    void this.#worker.terminate();
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case "ready":
        this.#note(report.numbers);
        this.libpcapVersion = report.libpcapVersion;
        this.#ready.resolve(report.fanout);
        return;
      case "refused":
        this.#ready.reject(new TcplatError(report.code, report.sentence));
        return;
      case "block":
        this.onBlock(report.block);
        return;
      case "up":
        this.isUp = report.isUp;
        this.onUp();
        return;
      case "done":
        this.isDone = true;
        this.#note(report.numbers);
        this.#done.resolve(report);
    }
  }

  #note(numbers: WorkerNumbers): void {
    this.numbers = numbers;
    this.numbersAtMs = performance.now();
  }

  /** A bug's error is passed on as it is, with its stack; what the machine did to the thread is the operator's to mend. */
  #fail(error: Error & { readonly code?: string }): void {
    if (this.isDone) return;
    const isBug = error.stack !== undefined && error.code === undefined && !error.message.startsWith("it ended");
    const told = isBug ? error : new TcplatError("running", `${this.#name} has died: ${error.message}`);
    this.#ready.reject(told);
    this.#done.reject(told);
  }
}

/** A promise and what settles it. */
class Outcome<T> {
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;
  readonly promise: Promise<T>;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits is told; nobody may be waiting yet.
    this.promise.catch(() => {});
  }
}

/** The failure that a worker reports, as it was thrown there. */
export function failureOf(failure: { readonly code: ErrorCode; readonly sentence: string } | null): TcplatError | null {
  return failure === null ? null : new TcplatError(failure.code, failure.sentence);
}

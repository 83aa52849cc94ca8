/** What memcached's two parsers cost a transaction: `node dist/test/bench/memcached.js`. */
import { memcached } from "../../src/protocols/memcached.ts";
import { RecordingExchange } from "../support/recording-exchange.ts";

const TIMES = 1_000_000;
const DATA = "x".repeat(100);

/** An Exchange that costs next to nothing: at most one request is ever pending. */
class CheapExchange extends RecordingExchange {
  #replyKind = -2;
  override requestBegins(): void {}
  override requestEnds(_at: number, _command: number, _class: number, replyKind: number): void {
    this.#replyKind = replyKind;
  }
  override replyKindAt(position: number): number {
    return position === 0 ? this.#replyKind : -2;
  }
  override responseBegins(): void {}
  override answer(): void {
    this.#replyKind = -2;
  }
  override lookups(): void {}
}

function bench(name: string, request: string, response: string): void {
  const session = memcached.createSession(new CheapExchange(memcached, { text: false, values: false }));
  const asked = Buffer.from(request);
  const answered = Buffer.from(response);
  for (const round of [1, 2, 3]) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < TIMES; count++) {
      session.requests.push(asked, 0, asked.length);
      session.responses.push(answered, 0, answered.length);
    }
    const ns = Number(process.hrtime.bigint() - start) / TIMES;
    if (round === 3) console.log(`${name}: ${ns.toFixed(0)} ns`);
  }
}

bench("get, hit", "get memtier-123456\r\n", `VALUE memtier-123456 0 100\r\n${DATA}\r\nEND\r\n`);
bench("set", `set memtier-123456 0 0 100\r\n${DATA}\r\n`, "STORED\r\n");
bench("mg, hit", "mg memtier-123456 v\r\n", `VA 100\r\n${DATA}\r\n`);

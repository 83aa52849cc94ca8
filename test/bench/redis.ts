/** What Redis' two parsers cost a transaction, whole in its segments and cut in two: `npm run bench -- redis`. */
import { redis } from "../../src/protocols/redis.ts";
import { bench, CheapExchange } from "./piece.ts";

const TIMES = 1_000_000;

/** `pieces`: a message comes in so many segments. One cut in two is read step by step, a whole one in one go. */
function benchSession(work: string, request: string, response: string, pieces: 1 | 2, beside: string | null): void {
  const exchange = new CheapExchange();
  const session = redis.createSession(exchange);
  // In one batch, as they come from a capture.
  const batch = Buffer.from(request + response);
  const asked = request.length;
  const end = batch.length;
  const askedCut = pieces === 1 ? asked : 2;
  const answeredCut = pieces === 1 ? end : asked + 2;
  bench(
    work,
    TIMES,
    () => {
      session.requests.push(batch, 0, askedCut);
      if (askedCut < asked) session.requests.push(batch, askedCut, asked);
      session.responses.push(batch, asked, answeredCut);
      if (answeredCut < end) session.responses.push(batch, answeredCut, end);
    },
    beside,
  );
  if (exchange.answered !== TIMES * 3) throw new Error(`${work}: ${exchange.answered} answers`);
}

const SET = "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\nxxx\r\n";
const GET = "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n";
const PIPELINED = 16;

/** Many in one segment, answered in one: each costs so much. */
function benchPipeline(work: string, requests: readonly string[], beside: string | null): void {
  const exchange = new CheapExchange();
  const session = redis.createSession(exchange);
  const request = requests.join("");
  const batch = Buffer.from(request + "$3\r\nxxx\r\n".repeat(PIPELINED));
  bench(
    work,
    TIMES,
    (index) => {
      if (index % PIPELINED !== 0) return;
      session.requests.push(batch, 0, request.length);
      session.responses.push(batch, request.length, batch.length);
    },
    beside,
  );
  if (exchange.answered !== TIMES * 3) throw new Error(`${work}: ${exchange.answered} answers`);
}

benchSession("redis SET, cut in two", SET, "+OK\r\n", 2, null);
benchSession("redis SET", SET, "+OK\r\n", 1, "redis SET, cut in two");
benchSession("redis GET, cut in two", GET, "$3\r\nxxx\r\n", 2, null);
benchSession("redis GET", GET, "$3\r\nxxx\r\n", 1, "redis GET, cut in two");
const key = (index: number) => `key:${"0".repeat(index % 2)}rand_int__`;
const asked = Array.from({ length: PIPELINED }, (_, i) => `*2\r\n$3\r\nGET\r\n$${key(i).length}\r\n${key(i)}\r\n`);
benchPipeline("redis GET, one of 16 with keys of two lengths", asked, null);
benchPipeline(
  "redis GET, one of 16 that are alike",
  asked.map(() => GET),
  "redis GET, one of 16 with keys of two lengths",
);

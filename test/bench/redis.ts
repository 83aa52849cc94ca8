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
benchSession("redis SET, cut in two", SET, "+OK\r\n", 2, null);
benchSession("redis SET", SET, "+OK\r\n", 1, "redis SET, cut in two");
benchSession("redis GET, cut in two", GET, "$3\r\nxxx\r\n", 2, null);
benchSession("redis GET", GET, "$3\r\nxxx\r\n", 1, "redis GET, cut in two");

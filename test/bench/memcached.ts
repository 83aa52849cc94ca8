/** What memcached's two parsers cost a transaction: `npm run bench -- memcached`. */
import { memcached } from "../../src/protocols/memcached.ts";
import { bench, CheapExchange } from "./piece.ts";

const TIMES = 1_000_000;
const DATA = "x".repeat(100);

function benchSession(work: string, request: string, response: string): void {
  const exchange = new CheapExchange();
  const session = memcached.createSession(exchange);
  const asked = Buffer.from(request);
  const answered = Buffer.from(response);
  bench(work, TIMES, () => {
    session.requests.push(asked, 0, asked.length);
    session.responses.push(answered, 0, answered.length);
  });
  if (exchange.answered !== TIMES * 3) throw new Error(`${work}: ${exchange.answered} answers`);
}

benchSession("memcached get, hit", "get memtier-123456\r\n", `VALUE memtier-123456 0 100\r\n${DATA}\r\nEND\r\n`);
benchSession("memcached set", `set memtier-123456 0 0 100\r\n${DATA}\r\n`, "STORED\r\n");
benchSession("memcached mg, hit", "mg memtier-123456 v\r\n", `VA 100\r\n${DATA}\r\n`);

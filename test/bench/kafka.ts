/** What Kafka's two parsers cost a transaction: `npm run bench -- kafka`. */
import { kafka } from "../../src/protocols/kafka.ts";
import {
  fetch,
  fetchResponse,
  heartbeat,
  heartbeatResponse,
  produce,
  produceResponse,
} from "../support/kafka-frames.ts";
import { bench, CheapExchange } from "./piece.ts";

const TIMES = 1_000_000;
const RECORDS = "r".repeat(200);

function benchSession(work: string, request: string, response: string): void {
  const exchange = new CheapExchange();
  const session = kafka.createSession(exchange);
  const asked = Buffer.from(request, "latin1");
  const answered = Buffer.from(response, "latin1");
  bench(work, TIMES, () => {
    session.requests.push(asked, 0, asked.length);
    session.responses.push(answered, 0, answered.length);
  });
  if (exchange.answered !== TIMES * 3) throw new Error(`${work}: ${exchange.answered} answers`);
}

benchSession("kafka Heartbeat", heartbeat(1), heartbeatResponse(1));
benchSession("kafka Produce", produce(1, 1, RECORDS, "orders"), produceResponse(1, 0, "orders"));
benchSession("kafka Fetch", fetch(1, 500, "orders"), fetchResponse(1, RECORDS, "orders"));

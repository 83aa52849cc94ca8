/** What one printed transaction costs: `npm run bench -- records`. */
import { JsonFormat } from "../../src/outputs/json.ts";
import { LineFormat } from "../../src/outputs/line.ts";
import { RECORD_CAPACITY } from "../../src/outputs/put.ts";
import type { RecordFormat } from "../../src/outputs/record-output.ts";
import { transaction } from "../aggregate/fixtures.ts";
import { bench } from "./piece.ts";

const RECORDS = 2_000_000;
const into = Buffer.alloc(65_536);
const plain = transaction();
/** One in sixteen has something to explain. */
const noted = { ...plain, retransmissions: 1, receiveUs: 500, waitUs: 602, flags: 17 };

function benchFormat(work: string, format: RecordFormat): void {
  let at = 0;
  bench(work, RECORDS, (index) => {
    if (at > into.length - RECORD_CAPACITY) at = 0;
    at = format.put((index & 15) === 0 ? noted : plain, into, at);
  });
}

benchFormat("a record as text", new LineFormat({ isColoured: false, explains: false }));
benchFormat("a record as JSON", new JsonFormat());

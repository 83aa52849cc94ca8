/** What one printed transaction costs: `node dist/test/bench/records.js`. */
import { JsonFormat } from "../../src/outputs/json.ts";
import { LineFormat } from "../../src/outputs/line.ts";
import { RECORD_CAPACITY } from "../../src/outputs/put.ts";
import type { RecordFormat } from "../../src/outputs/record-output.ts";
import { transaction } from "../aggregate/fixtures.ts";

const RECORDS = 2_000_000;
const into = Buffer.alloc(65_536);
const plain = transaction();
const noted = { ...plain, retransmissions: 1, receiveUs: 500, waitUs: 602, flags: 17 };

function bench(name: string, format: RecordFormat): void {
  for (const round of [1, 2, 3]) {
    let at = 0;
    let bytes = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < RECORDS; i++) {
      if (at > into.length - RECORD_CAPACITY) at = 0;
      const end = format.put((i & 15) === 0 ? noted : plain, into, at);
      bytes += end - at;
      at = end;
    }
    const ns = Number(process.hrtime.bigint() - start) / RECORDS;
    if (round === 3) console.log(`${name}: ${ns.toFixed(0)} ns, ${(bytes / RECORDS).toFixed(0)} bytes a record`);
  }
}

bench("line", new LineFormat({ isColoured: false }));
bench("json", new JsonFormat());

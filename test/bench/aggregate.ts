/** What one transaction costs in numbers: `node dist/test/bench/aggregate.js`. */
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { Histogram } from "../../src/aggregate/histogram.ts";
import { KV, SERVER, SET, transaction } from "../aggregate/fixtures.ts";

const TIMES = 10_000_000;
/** Log-uniform from 1 µs to 16 s; most queries of a fast server are in the lower half. */
const latencies = Float64Array.from({ length: 4096 }, (_, index) => Math.floor(2 ** ((index * 2_654_435_761) % 24)));

function bench(name: string, run: (latencyUs: number) => void): void {
  for (const round of [1, 2, 3]) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < TIMES; i++) run(latencies[i & 4095]!);
    const ns = Number(process.hrtime.bigint() - start) / TIMES;
    if (round === 3) console.log(`${name}: ${ns.toFixed(1)} ns`);
  }
}

const histogram = new Histogram();
bench("Histogram.record", (latencyUs) => histogram.record(latencyUs));

const aggregate = new Aggregate({ thresholdUs: 1e9, outputs: [] });
const one = transaction() as {
  -readonly [Name in keyof ReturnType<typeof transaction>]: ReturnType<typeof transaction>[Name];
};
bench("a request and its answer", (latencyUs) => {
  one.latencyUs = latencyUs;
  one.waitUs = latencyUs;
  aggregate.service(SERVER, KV).requested(SET, 31, true);
  aggregate.service(one.server, one.protocol).answered(one);
});

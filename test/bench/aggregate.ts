/** What one transaction costs in numbers: `npm run bench -- aggregate`. */
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { Histogram } from "../../src/aggregate/histogram.ts";
import { KV, SERVER, SET, transaction } from "../aggregate/fixtures.ts";
import { bench } from "./piece.ts";

const TIMES = 10_000_000;
/** Log-uniform from 1 µs to 16 s; most queries of a fast server are in the lower half. */
const latencies = Float64Array.from({ length: 4096 }, (_, index) => Math.floor(2 ** ((index * 2_654_435_761) % 24)));

const histogram = new Histogram();
bench("Histogram.record", TIMES, (index) => histogram.record(latencies[index & 4095]!));

const aggregate = new Aggregate({ thresholdUs: 1e9, outputs: [] });
const one = transaction() as {
  -readonly [Name in keyof ReturnType<typeof transaction>]: ReturnType<typeof transaction>[Name];
};
bench("a request and its answer, counted", TIMES, (index) => {
  one.latencyUs = latencies[index & 4095]!;
  one.waitUs = one.latencyUs;
  aggregate.service(SERVER, KV).requested(SET, 31, true, 1);
  aggregate.service(one.server, one.protocol).answered(one);
});

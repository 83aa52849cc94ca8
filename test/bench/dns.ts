/** DNS in datagrams. Run by rates.ts: node dist/test/bench/joined/dns.js PORTS */
import { answer, question } from "../support/dns.ts";
import { batchOf, datagram, type TestHost, type TestSegment } from "../support/segments.ts";
import { tellRate } from "./rate.ts";

const QUESTIONS = 100_000;
const SERVER: TestHost = { address: "10.9.0.2", port: 53 };
/** Between two questions. */
const GAP_US = 100;

/** Questions and their answers, from so many ports in turn. */
function traffic(ports: number): Uint8Array {
  const frames: TestSegment[] = [];
  for (let n = 0; n < QUESTIONS; n++) {
    const host = ports < QUESTIONS / 2 ? 1 : 1 + Math.floor(n / ports);
    const client = { address: `10.0.0.${host}`, port: 1024 + (n % ports) };
    const name = `host${n % 1000}.www.example.com`;
    frames.push(datagram(n * GAP_US, client, SERVER, question(n & 0xffff, name), n & 0xffff));
    frames.push(datagram(n * GAP_US + 50, SERVER, client, answer(n & 0xffff, name), n & 0xffff));
  }
  return batchOf(frames);
}

const [ports = "50"] = process.argv.slice(2);
const batch = traffic(Number(ports));
tellRate(batch, 2 * QUESTIONS, QUESTIONS);

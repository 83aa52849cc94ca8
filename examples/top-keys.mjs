/**
 * The keys that move the most bytes, every ten seconds and at the end.
 *
 *     sudo tcplat -i any tcp port 6379 -p redis -q -S examples/top-keys.mjs
 *
 * @import { Transaction, Tick } from "tcplat/script"
 */

const SHOWN = 10;
/** Keys remembered: beyond it, the smaller half is forgotten, so that a key counted too little may appear late. */
const KEPT = 20_000;
const EVERY_US = 10_000_000;

/** @type {Map<string, { bytes: number, requests: number }>} */
let keys = new Map();
let printedUs = 0;

/** @param {Transaction} t */
export function transaction(t) {
  if (t.key === null) return;
  const name = `${t.server} ${t.key}`;
  const known = keys.get(name) ?? { bytes: 0, requests: 0 };
  known.bytes += t.request_bytes + t.response_bytes;
  known.requests++;
  keys.set(name, known);
  if (keys.size > KEPT) keys = new Map(byBytes().slice(0, KEPT / 2));
}

/** @param {Tick} now */
export function tick(now) {
  if (now.time_us - printedUs < EVERY_US) return;
  if (printedUs > 0) print();
  printedUs = now.time_us;
}

export function end() {
  print();
}

function byBytes() {
  return [...keys].sort(([, a], [, b]) => b.bytes - a.bytes);
}

function print() {
  console.log(`${"bytes".padStart(12)} ${"requests".padStart(9)}  server and key`);
  for (const [name, { bytes, requests }] of byBytes().slice(0, SHOWN)) {
    console.log(`${String(bytes).padStart(12)} ${String(requests).padStart(9)}  ${name}`);
  }
}

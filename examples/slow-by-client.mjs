/**
 * Which client's requests are slow, and why: at the end, a line for each client address.
 *
 *     sudo tcplat -i any tcp port 6379 -p redis -q -t 10 -S examples/slow-by-client.mjs
 *
 * With -t, only requests that took at least so long come here.
 *
 * @import { Transaction } from "tcplat/script"
 */

const MOST_CLIENTS = 10_000;

/** @type {Map<string, { requests: number, worstUs: number, worst: string, causes: Map<string, number> }>} */
const clients = new Map();

/** @param {Transaction} t */
export function transaction(t) {
  if (t.latency_us === null || t.class !== "normal") return;
  const address = t.client.slice(0, t.client.lastIndexOf(":"));
  let client = clients.get(address);
  if (client === undefined) {
    if (clients.size >= MOST_CLIENTS) return;
    client = { requests: 0, worstUs: -1, worst: "", causes: new Map() };
    clients.set(address, client);
  }
  client.requests++;
  const cause = t.cause ?? "unknown";
  client.causes.set(cause, (client.causes.get(cause) ?? 0) + 1);
  if (t.latency_us > client.worstUs) {
    client.worstUs = t.latency_us;
    client.worst = t.summary;
  }
}

export function end() {
  for (const [address, client] of [...clients].sort(([, a], [, b]) => b.requests - a.requests)) {
    const causes = [...client.causes].sort(([, a], [, b]) => b - a).map(([cause, count]) => `${cause} ${count}`);
    const worst = `worst ${(client.worstUs / 1000).toFixed(3)} ms: ${client.worst}`;
    console.log(`${address}: ${client.requests} requests (${causes.join(", ")}); ${worst}`);
  }
}

/**
 * Tells a webhook of slow requests, at most once in so many seconds: the worst one, and how many there were.
 *
 *     WEBHOOK_URL=https://example.org/hook tcplat -i any tcp port 6379 -p redis -q -t 100 -S examples/webhook-alert.mjs
 *
 * ALERT_SECONDS (60) is the least time between two messages. With -t, only requests that took at least so long come here.
 *
 * @import { Transaction } from "tcplat/script"
 */

const URL_OF_HOOK = process.env.WEBHOOK_URL ?? "";
const EVERY_MS = Number(process.env.ALERT_SECONDS ?? "60") * 1000;
const GIVE_UP_MS = 4000;

if (URL_OF_HOOK === "") throw new Error("set WEBHOOK_URL to where the alerts are to go");

/** @type {Transaction | null} */
let worst = null;
let count = 0;
let sentAtMs = Number.NEGATIVE_INFINITY;
let isSending = false;

/** @param {Transaction} t */
export async function transaction(t) {
  if (t.latency_us === null) return;
  count++;
  if (worst === null || t.latency_us > (worst.latency_us ?? 0)) worst = t;
  if (!isSending && performance.now() - sentAtMs >= EVERY_MS) await send();
}

/** What came since the last message. */
export async function end() {
  if (count > 0) await send();
}

async function send() {
  if (worst === null) return;
  const { server, client, summary, latency_us, cause, end: at } = worst;
  const text = `${count} slow requests; the worst: ${summary} of ${client} at ${server} took ${(latency_us ?? 0) / 1000} ms (${cause})`;
  worst = null;
  count = 0;
  isSending = true;
  sentAtMs = performance.now();
  try {
    const response = await fetch(URL_OF_HOOK, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text, server, client, at, latency_us }),
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
  } finally {
    isSending = false;
  }
}

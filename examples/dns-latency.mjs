/**
 * DNS answers over UDP by server: how many, how long they took, how many were errors (RFC 1035 §4.1).
 *
 *     sudo tcplat -i any udp port 53 -S examples/dns-latency.mjs
 *
 * @import { Packet } from "tcplat/script"
 */

const HEADER_BYTES = 12;
const MOST = 10_000;

/** @type {Map<string, number>} When a query was asked, by its ends and its id. */
const asked = new Map();
/** @type {Map<string, { answers: number, errors: number, sumUs: number, maxUs: number }>} */
const servers = new Map();

/** @param {Packet} p */
export function packet(p) {
  if (p.protocol !== "udp" || p.size < HEADER_BYTES) return;
  const [high = 0, low = 0, flags = 0, code = 0] = p.payload;
  const id = (high << 8) | low;
  if ((flags & 0x80) === 0) {
    const key = `${p.sip} ${p.sport} ${p.dip} ${p.dport} ${id}`;
    // Sent again, it waits since it was first asked.
    if (!asked.has(key)) ask(key, p.time_us);
    return;
  }
  const key = `${p.dip} ${p.dport} ${p.sip} ${p.sport} ${id}`;
  const since = asked.get(key);
  if (since === undefined) return;
  asked.delete(key);
  answer(`${p.sip}:${p.sport}`, p.time_us - since, (code & 15) !== 0);
}

export function end() {
  for (const [server, { answers, errors, sumUs, maxUs }] of servers) {
    const mean = (sumUs / answers / 1000).toFixed(3);
    console.log(
      `${server}: ${answers} answers, ${errors} errors, ${mean} ms in the mean, ${(maxUs / 1000).toFixed(3)} ms at most`,
    );
  }
  if (asked.size > 0) console.log(`${asked.size} without an answer`);
}

/** @param {string} key @param {number} timeUs */
function ask(key, timeUs) {
  // The oldest one has waited longest, and hardly gets an answer any more.
  if (asked.size >= MOST) asked.delete(asked.keys().next().value ?? "");
  asked.set(key, timeUs);
}

/** @param {string} server @param {number} us @param {boolean} isError */
function answer(server, us, isError) {
  const of = servers.get(server) ?? { answers: 0, errors: 0, sumUs: 0, maxUs: 0 };
  if (servers.size < MOST) servers.set(server, of);
  of.answers++;
  if (isError) of.errors++;
  of.sumUs += us;
  of.maxUs = Math.max(of.maxUs, us);
}

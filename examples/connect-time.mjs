/**
 * How long connections took to be made, by server: each one's handshake as the client's SYN began it.
 *
 *     sudo tcplat -i any tcp port 6379 -q -S examples/connect-time.mjs
 *
 * @import { Packet } from "tcplat/script"
 */

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];
const MOST = 10_000;

/** @type {Map<string, { time_us: number, seq: number | null, again: number }>} */
const opening = new Map();
/** @type {Map<string, { made: number, refused: number, again: number, sumUs: number, maxUs: number }>} */
const servers = new Map();

/** @param {Packet} p */
export function packet(p) {
  if (p.flags === null) return;
  if ((p.flags & (SYN | ACK)) === SYN) begin(p);
  else if (p.flags === (SYN | ACK)) finish(p, true);
  else if ((p.flags & RST) !== 0) finish(p, false);
  else if ((p.flags & FIN) !== 0) opening.delete(name(p.sip, p.sport, p.dip, p.dport));
}

export function end() {
  for (const [server, { made, refused, again, sumUs, maxUs }] of servers) {
    const times =
      made === 0 ? "" : `, ${(sumUs / made / 1000).toFixed(3)} ms in the mean, ${(maxUs / 1000).toFixed(3)} ms at most`;
    console.log(`${server}: ${made} connections${times}; ${refused} refused, ${again} SYNs sent again`);
  }
}

/** @param {Packet} p */
function begin(p) {
  const key = name(p.sip, p.sport, p.dip, p.dport);
  const known = opening.get(key);
  if (known !== undefined && known.seq === p.seq) known.again++;
  else if (opening.size < MOST) opening.set(key, { time_us: p.time_us, seq: p.seq, again: 0 });
}

/** @param {Packet} p @param {boolean} isMade */
function finish(p, isMade) {
  const key = name(p.dip, p.dport, p.sip, p.sport);
  const first = opening.get(key);
  if (first === undefined) return;
  opening.delete(key);
  const server = `${p.sip}:${p.sport}`;
  const of = servers.get(server) ?? { made: 0, refused: 0, again: 0, sumUs: 0, maxUs: 0 };
  if (servers.size < MOST || servers.has(server)) servers.set(server, of);
  of.again += first.again;
  if (!isMade) of.refused++;
  else {
    const us = p.time_us - first.time_us;
    of.made++;
    of.sumUs += us;
    of.maxUs = Math.max(of.maxUs, us);
  }
}

/** @param {string} a @param {number} aPort @param {string} b @param {number} bPort */
function name(a, aPort, b, bPort) {
  return `${a} ${aPort} ${b} ${bPort}`;
}

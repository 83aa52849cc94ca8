// What a run takes before its own first frame (src/rehearsal.ts): a connection of redis-benchmark's kind, in which whatever comes late in a run comes early. Made frame by frame.
import { pcapFile } from "../dist/test/support/pcap-file.js";
import { frameOf, latin1 } from "../dist/test/support/segments.js";

const CLIENT = { address: "127.0.0.1", port: 50_000 };
const SERVER = { address: "127.0.0.1", port: 6379 };
const [FIN, SYN, PSH, ACK] = [1, 2, 8, 16];
const START_US = 1_700_000_000 * 1e6;

/** So many packets in a row tell that a host numbers them one by one (src/connection/numbering.ts), and V8 learns from what follows. */
const EXCHANGES = 100;
/** Of a client in a loop, each in one segment. */
const PIPELINES = 40;
const PIPELINED = 8;
const SET = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$3\r\nVXK\r\n";
const GET = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000001\r\n";
const REPLIES = ["+OK\r\n", "$3\r\nVXK\r\n", "+OK\r\n", "$-1\r\n"];
/** µs; the histogram counts the last three in other ways than the first. */
const LATENCIES = [30, 80, 30, 300, 30, 4000, 30, 1_100_000];

/** The capture file's bytes. */
export function rehearsal() {
  const frames = [];
  const sent = new Map([
    [CLIENT, { sequence: 1000, ipId: 500 }],
    [SERVER, { sequence: 2000, ipId: 700 }],
  ]);
  let timeUs = START_US;

  function send(from, flags, text = "", afterUs = 20) {
    timeUs += afterUs;
    const to = from === CLIENT ? SERVER : CLIENT;
    const own = sent.get(from);
    const payload = latin1(text);
    const acknowledgement = flags === SYN ? 0 : sent.get(to).sequence;
    const bytes = frameOf({ timeUs, from, to, ...own, acknowledgement, flags, window: 512, payload });
    frames.push({ seconds: Math.floor(timeUs / 1e6), nanoseconds: (timeUs % 1e6) * 1000, bytes });
    own.sequence += payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1);
    own.ipId++;
  }

  send(CLIENT, SYN);
  send(SERVER, SYN | ACK);
  send(CLIENT, ACK);
  for (let i = 0; i < EXCHANGES; i++) {
    send(CLIENT, PSH | ACK, i % 2 === 0 ? SET : GET);
    const isRare = i % 12 === 11;
    send(SERVER, PSH | ACK, REPLIES[i % 4], LATENCIES[isRare ? 4 + ((i / 12) & 3) : i % 4]);
  }
  for (let i = 0; i < PIPELINES; i++) {
    send(CLIENT, PSH | ACK, (i % 2 === 0 ? SET : GET).repeat(PIPELINED));
    if (i % 4 === 0) send(SERVER, ACK, "", 10);
    send(SERVER, PSH | ACK, REPLIES[i % 4].repeat(PIPELINED), LATENCIES[i % 3]);
    // Two processors' frames, out of order.
    if (i % 8 === 7) send(CLIENT, ACK, "", -1);
  }
  send(CLIENT, FIN | ACK);
  send(SERVER, FIN | ACK);
  send(CLIENT, ACK);
  return pcapFile(frames);
}

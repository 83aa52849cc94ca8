import assert from "node:assert/strict";
import { test } from "node:test";
import { type FirstMinuteView, hint, type StartView, startLine } from "../../src/run/first-minute.ts";

const LIVE: StartView = {
  source: "any",
  isLive: true,
  engine: "libpcap",
  clock: "kernel",
  libpcapVersion: "libpcap version 1.10.3 (with TPACKET_V3)",
  filter: "tcp port 6379",
  stats: { host: "127.0.0.1", port: 33333 },
  metrics: { host: "127.0.0.1", port: 13333 },
};

test("the start-up line says what is captured, with what, and where to ask", () => {
  const cases: readonly (readonly [Partial<StartView>, string])[] = [
    [
      {},
      'capturing on any (libpcap 1.10.3, kernel clock), filter "tcp port 6379", stats on 127.0.0.1:33333, metrics on http://127.0.0.1:13333/metrics, Ctrl-C to stop',
    ],
    [
      { filter: "", stats: null, metrics: { host: "::1", port: 1 } },
      "capturing on any (libpcap 1.10.3, kernel clock), no filter, metrics on http://[::1]:1/metrics, Ctrl-C to stop",
    ],
    [
      { engine: "cap", clock: "arrival", libpcapVersion: "", stats: null, metrics: null },
      'capturing on any (cap, times taken on arrival), filter "tcp port 6379", Ctrl-C to stop',
    ],
    [
      { source: "a\n\x1b[31m.pcap", isLive: false, clock: "file", filter: "", stats: null, metrics: null },
      "reading a\\x0a\\x1b[31m.pcap (libpcap 1.10.3, the file's clock), no filter",
    ],
  ];
  for (const [change, line] of cases) assert.equal(startLine({ ...LIVE, ...change }), line);
});

/** A capture that sees a dialogue, but nothing that ends. */
const BASE: FirstMinuteView = {
  source: "eth0",
  isLive: true,
  isUp: true,
  filter: "tcp port 6379",
  vlan: false,
  frames: 40,
  taggedFrames: 0,
  decoded: 40,
  truncated: 0,
  skipped: {},
  connections: 2,
  midstream: 0,
  unknownUdp: 0,
  oneSided: 0,
  refused: 0,
  unanswered: 0,
  evicted: 0,
  tls: 0,
  unknownProtocol: 0,
  requests: 0,
  transactions: 0,
  protocols: ["redis", "memcached"],
};
const SILENT: Partial<FirstMinuteView> = { frames: 0, decoded: 0, connections: 0 };

test("after ten silent seconds the first thing that explains it is said, with what to try", () => {
  const cases: readonly (readonly [string, Partial<FirstMinuteView>, RegExp])[] = [
    ["interface down", { ...SILENT, isUp: false }, /interface eth0 is down: sudo ip link set eth0 up/],
    [
      "no frame",
      SILENT,
      /no frame at all on eth0 for the filter "tcp port 6379": try -i any.* tcplat -D, or a wider filter/,
    ],
    ["no frame, no filter", { ...SILENT, filter: "" }, /no frame at all on eth0: try -i any, or another of tcplat -D$/],
    ["no frame on any", { ...SILENT, source: "any" }, /no frame at all on any.*: check that there is traffic/],
    ["no frame on lo", { ...SILENT, source: "lo" }, /remote clients come in elsewhere, try -i any/],
    ["only tagged frames", { ...SILENT, taggedFrames: 7 }, /7 frames behind VLAN tags and none without.*: add --vlan/],
    ["tagged, --vlan given", { ...SILENT, taggedFrames: 7, vlan: true }, /no frame at all on eth0/],
    [
      "file, nothing matches",
      { ...SILENT, isLive: false, source: "a.pcap" },
      /no frame in a.pcap for .*: try without the filter/,
    ],
    ["file, empty", { ...SILENT, isLive: false, source: "a.pcap", filter: "" }, /the file is empty/],
    [
      "no TCP",
      { decoded: 0, connections: 0, frames: 1 },
      /1 frame and no TCP segment among them: another filter, .*tunnel/,
    ],
    [
      "Wi-Fi in monitor mode",
      { decoded: 0, connections: 0, skipped: { link_type: 40 } },
      /40 frames of a link type that is not read here \(Wi-Fi in monitor mode, .*: capture where frames are Ethernet/,
    ],
    [
      "a tiny snaplen",
      { decoded: 0, connections: 0, skipped: { cut_header: 30, not_ip: 10 } },
      /40 frames captured too short for their headers: capture with -s 96/,
    ],
    [
      "fragments",
      { decoded: 0, connections: 0, skipped: { fragment: 39, not_tcp: 1 } },
      /40 frames, mostly fragments of IP packets, which are not joined here/,
    ],
    [
      "fragments, and handshakes, which are whole",
      { skipped: { fragment: 25 }, decoded: 15 },
      /40 frames, mostly fragments/,
    ],
    ["no TCP, and a fragment", { decoded: 0, connections: 0, skipped: { fragment: 1, not_tcp: 39 } }, /no TCP segment/],
    ["no data", { connections: 0 }, /40 TCP segments and none with data/],
    [
      "other UDP alone",
      { connections: 0, unknownUdp: 3 },
      /3 exchanges of UDP datagrams of no known protocol: .*-p dns:PORT.*tunnel .*-i any/,
    ],
    ["TLS", { tls: 2 }, /2 of 2 connections are encrypted \(TLS\)/],
    [
      "a server that is down",
      { refused: 2 },
      /2 of 2 connections are refused \(a reset answers the SYN\): nothing listens on that port/,
    ],
    [
      "a host that is down",
      { unanswered: 1 },
      /1 of 2 connections is not answered \(nothing but the SYN is seen\): .*host is down, a firewall drops it, or/,
    ],
    [
      "more connections than there is room for, which one direction only is an effect of",
      { evicted: 2, oneSided: 2 },
      /2 of 2 connections are evicted \(more than --max-connections at once\): a larger --max-connections/,
    ],
    ["one direction", { oneSided: 1 }, /1 of 2 connections is seen in one direction only: .*no "src" or "dst"/],
    [
      "unknown protocol",
      { unknownProtocol: 2, protocols: ["auto"] },
      /2 of 2 connections are of no known protocol: .*-p redis:PORT/,
    ],
    [
      "another protocol than -p names",
      { unknownProtocol: 2 },
      /2 of 2 connections are of no protocol that -p names \(redis, memcached\): leave -p out to have it found/,
    ],
    [
      "older than the capture",
      { midstream: 2 },
      /2 of 2 connections are from before the capture: .*--server HOST:PORT/,
    ],
    ["messages cut by the snaplen", { requests: 7, truncated: 12 }, /12 of 40 frames cut by the snaplen.*without -s/],
    ["a few large frames cut", { requests: 7, truncated: 2 }, /7 requests and no answer yet/],
    ["requests only", { requests: 1, midstream: 1 }, /1 request and no answer yet/],
    ["idle clients", {}, /2 connections and no request yet/],
    ["mostly TLS among others", { tls: 1, midstream: 1 }, /encrypted/],
    ["little TLS among old ones", { connections: 10, tls: 1, midstream: 9 }, /9 of 10 connections are from before/],
  ];
  for (const [name, change, message] of cases) {
    const said = hint({ ...BASE, ...change }) ?? "";
    assert.match(said, message, name);
    assert.match(said, /^no transaction so far; /);
  }
});

test("nothing is said once there was a transaction", () => {
  assert.equal(hint({ ...BASE, transactions: 1 }), null);
});

test("a hostile filter or name stays on one line", () => {
  const said = hint({ ...BASE, ...SILENT, source: "a\nb", filter: "x\x1b[0m\n" }) ?? "";
  assert.match(said, /a\\x0ab for the filter "x\\x1b\[0m\\x0a"/);
  assert.doesNotMatch(said, /\p{Cc}/u);
});

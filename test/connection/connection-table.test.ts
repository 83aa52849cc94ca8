import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Side } from "../../src/connection/path.ts";
import { ConnectionRoom, sharedRoom } from "../../src/connection/room.ts";
import { TcpFlag } from "../../src/decode/segment.ts";
import {
  CLIENT,
  Dialogue,
  SERVER,
  seenAgain,
  sentAgain,
  type TestHost,
  type TestSegment,
} from "../support/segments.ts";
import { Recorder, type RecorderOptions } from "./recorder.ts";

const A: TestHost = { address: "10.0.0.1", port: 40001 };
const B: TestHost = { address: "10.0.0.2", port: 50002 };

interface RoleCase {
  readonly name: string;
  readonly client?: TestHost;
  readonly server?: TestHost;
  readonly options?: RecorderOptions;
  readonly make: (d: Dialogue) => readonly TestSegment[];
  /** `client => server`, or null where nobody can tell. */
  readonly roles: string | null;
}

const AB = "10.0.0.1:40001 => 10.0.0.2:50002";

const ROLES: readonly RoleCase[] = [
  {
    name: "who sent the SYN is the client, whatever the ports",
    client: SERVER,
    server: CLIENT,
    make: (d) => [d.syn(0), d.synAck(1), d.client(2, "x")],
    roles: "10.0.0.2:6379 => 10.0.0.1:40001",
  },
  {
    name: "a SYN-ACK alone tells, too",
    client: A,
    server: B,
    make: (d) => {
      d.syn(0);
      return [d.synAck(1), d.client(2, "x")];
    },
    roles: AB,
  },
  {
    name: "a SYN-ACK captured before its SYN",
    client: A,
    server: B,
    make: (d) => {
      const [syn, synAck] = [d.syn(0), d.synAck(1)];
      return [synAck, syn, d.client(2, "x")];
    },
    roles: AB,
  },
  {
    name: "midstream: --server",
    client: A,
    server: B,
    options: { hints: { servers: new Set(["10.0.0.2:50002"]) } },
    make: (d) => [d.server(0, "xy")],
    roles: AB,
  },
  {
    name: "midstream: --server goes before a well-known port",
    client: { ...A, port: 6379 },
    server: B,
    options: { hints: { servers: new Set(["10.0.0.2:50002"]) } },
    make: (d) => [d.client(0, "xy")],
    roles: "10.0.0.1:6379 => 10.0.0.2:50002",
  },
  {
    name: "midstream: a port named with -p",
    client: A,
    server: B,
    options: { hints: { namedPorts: new Set([50002]) } },
    make: (d) => [d.client(0, "xy")],
    roles: AB,
  },
  {
    name: "midstream: a named port goes before a well-known one",
    client: { ...A, port: 6379 },
    server: B,
    options: { hints: { namedPorts: new Set([50002]) } },
    make: (d) => [d.client(0, "xy")],
    roles: "10.0.0.1:6379 => 10.0.0.2:50002",
  },
  {
    name: "midstream: a well-known port",
    client: A,
    server: SERVER,
    make: (d) => [d.server(0, "xy")],
    roles: "10.0.0.1:40001 => 10.0.0.2:6379",
  },
  {
    name: "midstream: the same port on both ends tells nothing",
    client: { ...A, port: 6379 },
    server: SERVER,
    make: (d) => [d.server(0, "xy")],
    roles: null,
  },
  {
    name: "midstream: what a client says",
    client: A,
    server: B,
    options: { hints: { speaker: () => "client" } },
    make: (d) => [d.client(0, "xy")],
    roles: AB,
  },
  {
    name: "midstream: what a server says",
    client: A,
    server: B,
    options: { hints: { speaker: () => "server" } },
    make: (d) => [d.server(0, "xy")],
    roles: AB,
  },
  {
    name: "midstream: nothing tells",
    client: A,
    server: B,
    make: (d) => [d.client(0, "xy"), d.server(1, "xy")],
    roles: null,
  },
];

describe("roles", () => {
  for (const { name, client, server, options, make, roles } of ROLES) {
    it(name, () => {
      const recorder = new Recorder(options).take(...make(new Dialogue(client, server)));
      const [connection] = recorder.connections;
      assert.equal(connection ? `${connection.clientText} => ${connection.serverText}` : null, roles);
    });
  }

  it("are known from another handshake with the same server", () => {
    const first = new Dialogue(A, B);
    first.open();
    const recorder = new Recorder().take(...first.segments, first.client(50, "x"));
    recorder.table.servers.find("10.0.0.2:50002");
    const second = new Dialogue({ ...A, port: 40002 }, B);
    recorder.take(second.server(100, "xy"));
    assert.equal(recorder.connections[1]?.clientText, "10.0.0.1:40002");
  });

  it("are given up after some segments that tell nothing, and counted", () => {
    const d = new Dialogue(A, B);
    const recorder = new Recorder();
    for (let i = 0; i < 20; i++) recorder.take(d.client(i, "xy"));
    assert.equal(recorder.table.rolesUnknown, 1);
    assert.deepEqual(recorder.lines, []);
  });

  it("are found by a later segment that tells", () => {
    const d = new Dialogue(A, B);
    const speaker = (bytes: Uint8Array, start: number) => (bytes[start] === 0x2a ? "client" : null);
    const recorder = new Recorder({ hints: { speaker } });
    recorder.take(d.client(0, "ab"), d.server(1, "cd"), d.client(2, "*1"));
    assert.equal(recorder.connections[0]?.clientText, "10.0.0.1:40001");
    assert.deepEqual(recorder.lines, ["c *1 @2"]);
  });

  it("need more than a keep-alive's byte to begin a connection", () => {
    const recorder = new Recorder().take(new Dialogue().client(0, "x"), new Dialogue().ack("server", 1));
    assert.equal(recorder.table.openedMidstream, 0);
  });
});

describe("the side", () => {
  const cases: readonly (readonly [string, RecorderOptions, Side])[] = [
    ["this host is the client", { local: ["10.0.0.1"] }, "client"],
    ["this host is the server", { local: ["10.0.0.2"] }, "server"],
    ["this host is both", { local: ["10.0.0.1", "10.0.0.2"] }, "local"],
    ["this host is neither", { local: ["10.0.0.3"] }, "transit"],
    [
      "this host was given the server's address a moment ago",
      { local: ["10.0.0.3"], localAgain: ["10.0.0.2"] },
      "server",
    ],
    ["--side goes before", { local: ["10.0.0.1"], side: "server" }, "server"],
  ];
  for (const [name, options, side] of cases) {
    it(`${name}: ${side}`, () => {
      const d = new Dialogue();
      d.open();
      const recorder = new Recorder(options).take(...d.segments, d.client(100, "x"));
      assert.equal(recorder.connections[0]?.side, side);
    });
  }

  it("follows the roles, not who spoke first", () => {
    const recorder = new Recorder({ local: ["10.0.0.2"] }).take(new Dialogue().server(0, "xy"));
    assert.equal(recorder.connections[0]?.side, "server");
  });
});

describe("a handshake", () => {
  it("sent again, or captured twice, makes no second connection", () => {
    const d = new Dialogue();
    const [syn, synAck] = [d.syn(0), d.synAck(10)];
    const recorder = new Recorder().take(
      syn,
      seenAgain(syn, 5),
      sentAgain(syn, 1_000_000),
      synAck,
      sentAgain(synAck, 1_100_000),
    );
    recorder.take(d.client(1_200_000, "x"));
    assert.equal(recorder.table.openedBySyn, 1);
    assert.equal(recorder.table.open, 1);
    assert.equal(recorder.table.servers.other.retransmittedSegments, 2);
  });

  it("with data on the SYN that the server takes (RFC 7413)", () => {
    const d = new Dialogue();
    const recorder = new Recorder().take(d.syn(0, "get"), d.synAck(10), d.server(20, "ok"), d.client(30, "more"));
    assert.deepEqual(recorder.lines, ["c get @0", "s ok @20", "c more @30"]);
  });

  it("with data on the SYN that the server does not take, so that it is sent again", () => {
    const d = new Dialogue();
    const syn = d.syn(0, "get");
    const synAck = { ...d.synAck(10), acknowledgement: syn.sequence + 1 };
    const again = { ...d.client(30, "get"), sequence: syn.sequence + 1 };
    const recorder = new Recorder().take(syn, synAck, again, {
      ...d.server(40, "ok"),
      acknowledgement: syn.sequence + 4,
    });
    assert.deepEqual(recorder.lines, ["c get @0", "c again 3", "s ok @40"]);
  });

  it("of a port used again begins a new connection and ends the old one", () => {
    const [first, second] = [new Dialogue(CLIENT, SERVER, 1000, 5000), new Dialogue(CLIENT, SERVER, 900_000, 700_000)];
    first.open();
    second.open(1_000_000);
    const recorder = new Recorder().take(...first.segments, first.client(100, "one"));
    recorder.take(...second.segments, second.client(1_000_100, "two"), second.server(1_000_200, "ok"));
    assert.deepEqual(recorder.lines, ["c one @100", "ended closed", "2: c two @1000100", "2: s ok @1000200"]);
    assert.equal(recorder.table.open, 1);
  });

  it("of a port used again right after the old connection was closed", () => {
    const [first, second] = [new Dialogue(CLIENT, SERVER, 1000, 5000), new Dialogue(CLIENT, SERVER, 900_000, 700_000)];
    first.open();
    first.client(100, "one");
    first.fin("client", 200);
    first.fin("server", 210);
    second.open(300);
    second.client(400, "two");
    const recorder = new Recorder().take(...first.segments, first.ack("client", 220), ...second.segments);
    assert.deepEqual(recorder.lines, ["c one @100", "s fin", "ended closed", "2: c two @400"]);
  });

  it("is not needed: late segments of an ended connection do not begin a new one", () => {
    const d = new Dialogue();
    d.open();
    const request = d.client(100, "get");
    const recorder = new Recorder().take(...d.segments, d.reset("server", 200));
    recorder.take(sentAgain(request, 300), d.client(400, "more"), d.server(500, "late"));
    assert.deepEqual(recorder.lines, ["c get @100", "ended reset"]);
    assert.deepEqual([recorder.table.openedBySyn, recorder.table.openedMidstream, recorder.table.open], [1, 0, 0]);
  });

  it("seen after the first data takes the roles from there on and makes no second connection", () => {
    const d = new Dialogue();
    d.open();
    const request = d.client(100, "get");
    const recorder = new Recorder().take(request, ...d.segments.slice(0, 3), d.server(200, "ok"));
    assert.equal(recorder.table.open, 1);
    assert.deepEqual(recorder.lines, ["c get @100", "s ok @200"]);
  });
});

/** Connection number `port` says one thing at `at`. */
function speak(recorder: Recorder, port: number, at: number): void {
  recorder.take(new Dialogue({ ...CLIENT, port }, SERVER, 1000, 5000).client(at, `p${port}`));
}

describe("the table", () => {
  it("evicts the connection idle for longest when it is full, and counts it", () => {
    const recorder = new Recorder({ maxConnections: 3 });
    for (const [i, port] of [1, 2, 3].entries()) speak(recorder, port, i * 200_000);
    const again = new Dialogue({ ...CLIENT, port: 1 }, SERVER, 1002, 5000);
    recorder.take(again.client(700_000, "x"));
    speak(recorder, 4, 900_000);
    assert.deepEqual(recorder.lines.slice(-2), ["2: ended evicted", "4: c p4 @900000"]);
    speak(recorder, 5, 1_000_000);
    assert.deepEqual(recorder.lines.slice(-2), ["3: ended evicted", "5: c p5 @1000000"]);
    assert.equal(recorder.table.evicted, 2);
    assert.equal(recorder.table.open, 3);
  });

  it("has its part of what it shares with another, however much that one has taken, and more where there is room", () => {
    const shared = sharedRoom();
    const rooms = [new ConnectionRoom(4, 2, shared), new ConnectionRoom(4, 2, shared)];
    const [one, other] = rooms.map((room) => new Recorder({ room }));
    for (const port of [1, 2, 3, 4]) speak(one!, port, port * 1000);
    for (const port of [5, 6]) speak(other!, port, port * 1000);
    assert.deepEqual([one!.table.evicted, other!.table.evicted], [0, 0]);
    speak(other!, 7, 7000);
    speak(one!, 8, 8000);
    assert.deepEqual([one!.table.evicted, other!.table.evicted], [1, 1]);
  });

  it("gives an ended connection's place away before it evicts one", () => {
    const recorder = new Recorder({ maxConnections: 2 });
    const d = new Dialogue();
    d.open();
    recorder.take(...d.segments, d.client(100, "x"));
    speak(recorder, 2, 200);
    recorder.take(d.reset("client", 300));
    speak(recorder, 3, 400);
    assert.equal(recorder.table.evicted, 0);
    assert.equal(recorder.table.open, 2);
  });

  it("forgets a connection that is idle for the time-out, on the capture's clock", () => {
    const recorder = new Recorder({ idleTimeoutUs: 5_000_000 });
    speak(recorder, 1, 0);
    recorder.until(4_900_000);
    assert.equal(recorder.table.open, 1);
    recorder.until(7_100_000);
    assert.deepEqual(recorder.lines, ["c p1 @0", "ended idle"]);
    assert.equal(recorder.table.open, 0);
  });

  it("never forgets one with a request pending", () => {
    const recorder = new Recorder({ idleTimeoutUs: 5_000_000, hasPending: true });
    speak(recorder, 1, 0);
    for (let at = 0; at < 600_000_000; at += 1_000_000) recorder.until(at);
    assert.equal(recorder.table.open, 1);
  });

  it("ends every connection when the capture does, once", () => {
    const recorder = new Recorder();
    speak(recorder, 1, 0);
    speak(recorder, 2, 1);
    recorder.finish().finish();
    assert.deepEqual(recorder.lines.slice(-2), ["ended end", "2: ended end"]);
    assert.equal([...recorder.table].length, 0);
  });

  it("finds each of many connections, in both directions, whatever was removed meanwhile", () => {
    const recorder = new Recorder({ maxConnections: 700 });
    const dialogues = Array.from({ length: 2000 }, (_, i) => {
      const address = i % 2 === 0 ? `10.1.${i >> 8}.${i & 255}` : `2001:db8::${i.toString(16)}`;
      const server = i % 2 === 0 ? SERVER : { address: "2001:db8:1::1", port: 6379 };
      return new Dialogue({ address, port: 1000 + i }, server);
    });
    for (const [i, d] of dialogues.entries())
      recorder.take(d.syn(i * 10), d.synAck(i * 10 + 1), d.client(i * 10 + 2, "q"));
    assert.equal(recorder.table.open, 700);
    assert.equal(recorder.table.evicted, 1300);
    recorder.lines.length = 0;
    for (const d of dialogues.slice(-700)) recorder.take(d.server(30_000, "r"));
    assert.equal(recorder.lines.length, 700);
    assert.equal(recorder.table.openedMidstream, 0);
  });

  it("takes no bytes of a connection that nobody wants, and ends it at its FINs", () => {
    const recorder = new Recorder({ refuses: () => true });
    const d = new Dialogue();
    d.open();
    recorder.take(...d.segments, d.client(100, "x"), d.server(110, "y"));
    assert.equal(recorder.table.open, 1);
    recorder.take(d.fin("client", 120), d.fin("server", 130));
    assert.equal(recorder.table.open, 0);
  });
});

describe("the clock", () => {
  it("is the largest time stamp, and counts each step back", () => {
    const d = new Dialogue();
    d.open(3_000_000);
    const recorder = new Recorder().take(
      ...d.segments,
      d.client(3_000_100, "a"),
      d.server(3_000_098, "b"),
      d.client(500_000, "c"),
    );
    assert.deepEqual(recorder.lines, ["c a @3000100", "s b @3000098", "c c @500000"]);
    assert.equal(recorder.table.clockRegressions, 2);
  });

  it("fires no time-out early when a frame is stamped in the past", () => {
    const recorder = new Recorder({ idleTimeoutUs: 5_000_000 });
    speak(recorder, 1, 10_000_000);
    speak(recorder, 2, 0);
    recorder.until(12_000_000);
    assert.equal(recorder.table.open, 2);
  });
});

describe("a capture duplicate", () => {
  const request = (ipId: number): TestSegment => ({ ...new Dialogue().client(0, "get"), ipId });
  const cases: readonly (readonly [string, TestSegment, TestSegment, boolean])[] = [
    ["the same packet 1 µs later", request(7), seenAgain(request(7), 1), true],
    ["the same packet 50 µs later", request(7), seenAgain(request(7), 50), true],
    ["the same packet stamped 3 µs earlier", request(7), seenAgain(request(7), -3), true],
    ["the same packet half a second later", request(7), seenAgain(request(7), 500_000), false],
    ["another packet with the same bytes", request(7), seenAgain(request(8), 50), false],
    ["no identification, the same checksum, 50 µs later", request(0), seenAgain(request(0), 50), true],
    ["no identification, the same checksum, 200 ms later", request(0), seenAgain(request(0), 200_000), false],
    ["no identification, another window", request(0), { ...seenAgain(request(0), 50), window: 511 }, false],
    ["other flags", request(7), { ...seenAgain(request(7), 5), flags: TcpFlag.ack }, false],
  ];
  for (const [name, first, second, isDuplicate] of cases) {
    it(`${isDuplicate ? "is" : "is not"} ${name}`, () => {
      const recorder = new Recorder().take(first, second);
      assert.equal(recorder.table.duplicates.duplicates, isDuplicate ? 1 : 0);
      assert.equal(recorder.table.servers.other.retransmittedSegments, isDuplicate ? 0 : 1);
    });
  }
});

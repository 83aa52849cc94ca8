import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RoleHints } from "../../src/connection/roles.ts";
import { CLIENT, Dialogue, datagram, latin1, SERVER, type TestHost } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

const SECOND = 1_000_000;

function host(port: number): TestHost {
  return { ...CLIENT, port };
}

describe("datagrams between two endpoints", () => {
  it("are a connection: who asks first is the client, where nothing else tells", () => {
    const recorder = new Recorder({ hints: { knownPorts: new Set() } });
    recorder.take(datagram(1, CLIENT, SERVER, latin1("a")), datagram(2, SERVER, CLIENT, latin1("b")));
    assert.deepEqual(recorder.lines, ["c a @1", "s b @2"]);
    assert.deepEqual([recorder.table.open, recorder.table.datagrams.opened, recorder.table.openedMidstream], [1, 1, 0]);
  });

  it("have the roles that their bytes tell, before any port", () => {
    const recorder = new Recorder({ hints: { datagramSpeaker: () => "server" } });
    recorder.take(datagram(1, CLIENT, SERVER, latin1("answer")));
    assert.deepEqual(recorder.lines, ["s answer @1"]);
    const named = new Recorder({ hints: { namedPorts: new Set([CLIENT.port]) } });
    named.take(datagram(1, CLIENT, SERVER, latin1("a")));
    assert.deepEqual(named.lines, ["s a @1"]);
  });

  it("are two connections where both ends have the same port and either asks: one for each that does", () => {
    const [one, other] = [host(53), { ...SERVER, port: 53 }];
    const hints: Partial<RoleHints> = {
      datagramSpeaker: (_a, _b, bytes, start) =>
        bytes[start] === 0x3f ? "client" : bytes[start] === 0x21 ? "server" : null,
    };
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const recorder = new Recorder({ hints });
      recorder.take(
        datagram(1, a, b, latin1("?a")),
        datagram(2, b, a, latin1("?b")),
        datagram(3, a, b, latin1("!b")),
        datagram(4, b, a, latin1("!a")),
        datagram(5, b, a, latin1("-")),
      );
      const unsaid = recorder.lines.pop();
      assert.deepEqual(recorder.lines, ["c ?a @1", "2: c ?b @2", "2: s !b @3", "s !a @4"]);
      assert.ok(unsaid === "s - @5" || unsaid === "2: c - @5");
      assert.equal(recorder.table.open, 2);
    }
    const alone = new Recorder({ hints });
    alone.take(datagram(1, other, one, latin1("?a")), datagram(2, one, other, latin1("-")));
    assert.deepEqual(alone.lines, ["c ?a @1", "s - @2"]);
  });

  it("are another connection than TCP's between the same ports", () => {
    const recorder = new Recorder();
    const tcp = new Dialogue();
    tcp.open(0);
    tcp.client(10, "tcp");
    recorder.take(...tcp.segments, datagram(11, CLIENT, SERVER, latin1("udp")));
    assert.deepEqual(recorder.lines, ["c tcp @10", "2: c udp @11"]);
  });

  it("are forgotten 1 s after the last, or earlier with a shorter --idle-timeout, but not with a request pending", () => {
    for (const [idleTimeoutUs, silentUs] of [
      [300 * SECOND, SECOND],
      [SECOND / 2, SECOND / 2],
    ] as const) {
      const recorder = new Recorder({ idleTimeoutUs });
      recorder.take(datagram(1, CLIENT, SERVER, latin1("a")), datagram(silentUs, CLIENT, SERVER, latin1("b")));
      recorder.take(datagram(2 * silentUs, CLIENT, SERVER, latin1("c")));
      assert.deepEqual(recorder.lines, ["c a @1", `c b @${silentUs}`, "ended idle", `2: c c @${2 * silentUs}`]);
      recorder.until(4 * SECOND);
      assert.equal(recorder.lines.at(-1), "2: ended idle");
    }
    const waiting = new Recorder({ hasPending: true });
    waiting.take(datagram(1, CLIENT, SERVER, latin1("a"))).until(60 * SECOND);
    assert.deepEqual(waiting.lines, ["c a @1"]);
  });

  it("take half the room there is: the oldest makes room, rather one with nothing pending, and TCP's stay", () => {
    const recorder = new Recorder({ maxConnections: 4 });
    const tcp = new Dialogue();
    tcp.open(0);
    tcp.client(10, "tcp");
    recorder.take(...tcp.segments);
    for (let port = 1; port <= 4; port++) recorder.take(datagram(10 + port, host(port), SERVER, latin1(`${port}`)));
    assert.deepEqual(recorder.lines, [
      "c tcp @10",
      "2: c 1 @11",
      "3: c 2 @12",
      "2: ended evicted",
      "4: c 3 @13",
      "3: ended evicted",
      "5: c 4 @14",
    ]);
    assert.deepEqual([recorder.table.open, recorder.table.evicted], [3, 0]);
    const waiting = new Recorder({ maxConnections: 4, hasPending: true });
    for (let port = 1; port <= 3; port++) waiting.take(datagram(10 + port, host(port), SERVER, latin1(`${port}`)));
    assert.equal(waiting.table.evicted, 1);
    assert.equal(waiting.table.open, 2);
  });

  it("captured twice count once: the same packet, or the same bytes within a millisecond", () => {
    const recorder = new Recorder();
    recorder.take(
      datagram(1, CLIENT, SERVER, latin1("a"), 7),
      datagram(9_000, CLIENT, SERVER, latin1("a"), 7),
      datagram(9_001, CLIENT, SERVER, latin1("a"), 8),
      datagram(20_000, CLIENT, SERVER, latin1("b")),
      datagram(20_005, CLIENT, SERVER, latin1("c")),
      datagram(20_009, CLIENT, SERVER, latin1("b")),
      datagram(30_000, CLIENT, SERVER, latin1("b")),
    );
    assert.deepEqual(recorder.lines, ["c a @1", "c a @9001", "c b @20000", "c c @20005", "c b @30000"]);
    assert.equal(recorder.table.duplicates.duplicates, 2);
  });

  it("nobody wants, and empty ones, cost a look-up and no more", () => {
    const recorder = new Recorder({ refuses: () => true });
    recorder.take(datagram(1, CLIENT, SERVER, latin1("a")), datagram(2, CLIENT, SERVER, latin1("b")));
    assert.deepEqual([recorder.lines, recorder.table.datagrams.opened], [[], 1]);
    const empty = new Recorder();
    empty.take(datagram(1, CLIENT, SERVER, new Uint8Array(0)));
    assert.equal(empty.table.datagrams.opened, 0);
  });
});

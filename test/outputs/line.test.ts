import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JsonFormat } from "../../src/outputs/json.ts";
import { LineFormat } from "../../src/outputs/line.ts";
import { RECORD_CAPACITY } from "../../src/outputs/put.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { Resend } from "../../src/transactions/resend.ts";
import type { Connect, Transaction } from "../../src/transactions/transaction.ts";
import { Flag } from "../../src/transactions/transaction.ts";
import { SET, START_US, transaction } from "../aggregate/fixtures.ts";

process.env.TZ = "UTC";
const HEAD = "2020-03-08 19:23:06.258761 192.168.0.1:51137 => 192.168.0.2:6379 | 1.102 ms | set foo";

function line(of: Transaction, format = new LineFormat({ isColoured: false, explains: false })): string {
  const into = Buffer.alloc(RECORD_CAPACITY + 7);
  return into.toString("latin1", 7, format.put(of, into, 7));
}

/** The fourth field of a transaction whose end and latency do not matter; with `-t`, `explains`. */
function notes(changes: Parameters<typeof transaction>[0], explains = false): string | undefined {
  return line(transaction(changes), new LineFormat({ isColoured: false, explains }))
    .trimEnd()
    .split(" | ")[3];
}

describe("a line", () => {
  it("is tcpkit's", () => {
    assert.equal(line(transaction()), `${HEAD}\n`);
  });

  it("shows what was captured escaped, and 128 bytes of it at most", () => {
    const shown = (words: string | Uint8Array): string => line(transaction({ words })).split(" | ")[2]!.trimEnd();
    assert.equal(shown("get \x00\n\x7f\xe9~"), "get \\x00\\x0a\\x7f\\xe9~");
    assert.equal(shown("x".repeat(500)), "x".repeat(128));
    assert.equal(shown(new Uint8Array(128)).length, 512);
  });

  it("names the command where no text was kept", () => {
    assert.equal(line(transaction({ words: "" })), `${HEAD.slice(0, -"set foo".length)}SET\n`);
  });

  it("has three decimals of a millisecond, however long it took", () => {
    const latencies: [number, string][] = [
      [0, "0.000 ms"],
      [7, "0.007 ms"],
      [999_999, "999.999 ms"],
      [70_000_000, "70000.000 ms"],
      [5_000_000_000_123, "5000000000.123 ms"],
    ];
    for (const [latencyUs, shown] of latencies) {
      assert.equal(line(transaction({ latencyUs, endUs: START_US })).split(" | ")[1], shown);
    }
  });

  it("tells why there is no answer, at the time it was given up", () => {
    const given = transaction({
      unanswered: "closed",
      waitedUs: 1234,
      words: "GET foo",
      class: TransactionClass.queued,
    });
    const expected =
      "2020-03-08 19:23:06.258893 192.168.0.1:51137 => 192.168.0.2:6379 | unanswered (closed) after 1.2 ms | GET foo | queued\n";
    assert.equal(line(given), expected);
  });

  it("is in local time, on either side of a change of the clocks, also when times go back", () => {
    process.env.TZ = "Europe/Berlin";
    const format = new LineFormat({ isColoured: false, explains: false });
    const time = (endUs: number): string => line(transaction({ endUs }), format).slice(0, 26);
    const changeUs = Date.UTC(2026, 2, 29, 1) * 1000;
    assert.equal(time(changeUs - 1), "2026-03-29 01:59:59.999999");
    assert.equal(time(changeUs), "2026-03-29 03:00:00.000000");
    assert.equal(time(changeUs - 1), "2026-03-29 01:59:59.999999");
    process.env.TZ = "UTC";
  });

  it("is coloured only where asked", () => {
    const coloured = new LineFormat({ isColoured: true, explains: false });
    const answered = line(transaction({ retransmissions: 1 }), coloured);
    assert.ok(answered.includes("\x1b[1m1.102 ms\x1b[0m | set foo | \x1b[2m1 retransmission\x1b[0m\n"));
    assert.ok(
      line(transaction({ unanswered: "end" }), coloured).includes("\x1b[31munanswered (end) after 0.0 ms\x1b[0m"),
    );
    assert.ok(!line(transaction(), coloured).includes("\x1b[2m"));
  });
});

describe("a line's fourth field", () => {
  const cases: [string, Parameters<typeof transaction>[0], string | undefined][] = [
    [
      "a long response",
      { latencyUs: 202_900, waitUs: 1100, receiveUs: 201_800, retransmissions: 1, flags: Flag.retransmission },
      "wait 1.1, receive 201.8 ms; 1 retransmission",
    ],
    ["a long request", { latencyUs: 1400, sendUs: 300, waitUs: 1100 }, "send 0.3, wait 1.1 ms"],
    [
      "all three",
      { latencyUs: 3000, sendUs: 949, waitUs: 1051, receiveUs: 1000 },
      "send 0.9, wait 1.1, receive 1.0 ms",
    ],
    ["a part below a tenth", { latencyUs: 10_000, waitUs: 9001, receiveUs: 999 }, undefined],
    ["a part below 0.1 ms", { latencyUs: 99, waitUs: 0, receiveUs: 99 }, undefined],
    ["exactly a tenth", { latencyUs: 1000, waitUs: 900, receiveUs: 100 }, "wait 0.9, receive 0.1 ms"],
    ["queueing", { latencyUs: 1000, queueUs: 800, flags: Flag.pipelined }, "pipelined, queued 0.8 ms"],
    ["pipelining without it", { flags: Flag.pipelined }, undefined],
    ["a class", { class: TransactionClass.blocking, latencyUs: 5_000_000 }, "blocking"],
    ["an error", { errorId: 2 }, "error WRONGTYPE"],
    ["retransmissions", { retransmissions: 3 }, "3 retransmissions"],
    ["a retransmission of unknown number", { flags: Flag.retransmission }, "retransmission"],
    [
      "every flag",
      { flags: 255, class: TransactionClass.queued, errorId: 1, retransmissions: 1 },
      "queued; error ERR; 1 retransmission; behind a blocking command; out of order; gap; truncated; clock skew; midstream",
    ],
  ];
  for (const [name, changes, expected] of cases) {
    it(`${expected === undefined ? "is left out for" : "explains"} ${name}`, () =>
      assert.equal(notes(changes), expected));
  }
});

describe("what was sent again", () => {
  const { request, response, timeout, fast } = Resend;
  const lost = { latencyUs: 200_000, waitUs: 200_000, toServerUs: 0, rttUs: 900 };
  for (const [changes, expected] of [
    [{ retransmissions: 1, resends: request | timeout }, "request sent twice, time-out"],
    [{ retransmissions: 2, resends: request | fast }, "request sent 3 times, fast"],
    [{ retransmissions: 0, resends: request | timeout }, "earlier request sent twice, time-out"],
    [
      { retransmissions: 3, resends: request | timeout, requestBytes: 5000 },
      "request, 3 segments sent again, time-out",
    ],
    [{ retransmissions: 3, resends: response | fast, requestBytes: 5000 }, "response sent 4 times, fast"],
    [
      { retransmissions: 255, resends: response | fast, responseBytes: 2e6 },
      "response, 255 or more segments sent again, fast",
    ],
  ] as const) {
    it(`is told in words: ${expected}`, () => {
      const ofRequest = (changes.resends & request) !== 0;
      const us = ofRequest ? { resentRequestUs: 199_600 } : { resentResponseUs: 199_600 };
      assert.equal(notes({ ...lost, ...us, ...changes }), `retransmission 199.6 (${expected}), server 0.4`);
    });
  }
});

describe("whom a request waited behind", () => {
  const waited = { latencyUs: 40_000, waitUs: 40_000, toServerUs: 0, rttUs: 100 };
  const other = { connectionId: 3, requestNumber: 7, commandId: SET, us: 30_000 };

  it("is told by its id on its own connection", () => {
    const behind = { ...other, client: null };
    assert.equal(notes({ ...waited, queueUs: 31_000, behind }), "queue 31.0 (behind SET of 3-7, 30.0), server 9.0");
  });

  it("is told by its client, too, on another one", () => {
    const behind = { ...other, client: "10.0.0.7:40312" };
    assert.equal(notes({ ...waited, behind }), "server 40.0 (behind SET of 3-7 from 10.0.0.7:40312, 30.0)");
  });
});

describe("what had to be moved", () => {
  const slow = { latencyUs: 2_000_000, waitUs: 1000, toServerUs: 0, rttUs: 100 };
  const received = { ...slow, receiveUs: 1_999_000 };
  for (const [changes, expected] of [
    [{ ...received, responseBytes: 30_000_013 }, "receive 1999.0 (30.0 MB), "],
    [{ ...received, responseBytes: 99_999 }, "receive 1999.0, "],
    [
      { ...received, responseBytes: 100_000, zeroWindowUs: 1_396_494 },
      "receive 1999.0 (0.1 MB, window closed 1396.5), ",
    ],
    [{ ...received, zeroWindowUs: 290_100 }, "receive 1999.0 (window closed 290.1), "],
    [{ ...slow, sendUs: 1_999_000, requestBytes: 1_549_000, responseBytes: 9e6 }, "send 1999.0 (1.5 MB), "],
  ] as const) {
    it(`is told where it is much: ${expected}`, () => assert.equal(notes(changes, true), `${expected}server 1.0`));
  }
});

describe("a connection that was made slowly", () => {
  const CONNECT: Connect = {
    connectionId: 17,
    client: { text: "192.168.0.1:51137" },
    serverEndpoint: { text: "192.168.0.2:6379" },
    server: { id: 1, text: "192.168.0.2:6379" },
    side: "client",
    protocol: "redis",
    endUs: START_US + 1102,
    latencyUs: 1_003_100,
    synRetransmissions: 1,
    rttUs: null,
  };
  const shown = (changes: Partial<Connect>, isColoured = false): string => {
    const into = Buffer.alloc(RECORD_CAPACITY);
    const format = new LineFormat({ isColoured, explains: true });
    return into.toString("latin1", 0, format.putConnect({ ...CONNECT, ...changes }, into, 0));
  };

  it("has the columns of a request, and what made it slow", () => {
    const head = "2020-03-08 19:23:06.258761 192.168.0.1:51137 => 192.168.0.2:6379 | 1003.100 ms | (connect)";
    const cases: readonly (readonly [Partial<Connect>, string])[] = [
      [{}, " | 1 SYN retransmission"],
      [{ synRetransmissions: 2 }, " | 2 SYN retransmissions"],
      [{ synRetransmissions: 0, rttUs: 1_003_000 }, " | rtt 1003.0 ms"],
      [{ rttUs: 250 }, " | 1 SYN retransmission; rtt 0.3 ms"],
      [{ synRetransmissions: 0 }, ""],
    ];
    for (const [changes, notes] of cases) assert.equal(shown(changes), `${head}${notes}\n`);
    const end = " | \x1b[1m1003.100 ms\x1b[0m | (connect) | \x1b[2m1 SYN retransmission\x1b[0m\n";
    assert.ok(shown({}, true).endsWith(end));
  });

  it("is the same as one JSON record", () => {
    const into = Buffer.alloc(RECORD_CAPACITY);
    const text = into.toString("latin1", 0, new JsonFormat().putConnect(CONNECT, into, 0));
    assert.equal(
      text,
      '{"type":"connect","id":"17","protocol":"redis","side":"client","client":"192.168.0.1:51137",' +
        '"server":"192.168.0.2:6379","start":"2020-03-08T19:23:05.255661Z","end":"2020-03-08T19:23:06.258761Z",' +
        '"latency_us":1003100,"syn_retransmissions":1,"rtt_us":null}\n',
    );
  });
});

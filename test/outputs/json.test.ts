import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JsonFormat } from "../../src/outputs/json.ts";
import { RECORD_CAPACITY } from "../../src/outputs/put.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { Resend } from "../../src/transactions/resend.ts";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { FLAG_NAMES } from "../../src/transactions/transaction.ts";
import { BLPOP, transaction } from "../aggregate/fixtures.ts";

function record(of: Transaction): string {
  const into = Buffer.alloc(RECORD_CAPACITY);
  return into.toString("latin1", 0, new JsonFormat().put(of, into, 0));
}

describe("a JSON record", () => {
  it("is as documented, field by field", () => {
    const expected =
      '{"type":"transaction","id":"17-204","protocol":"redis","class":"normal","side":"client",' +
      '"client":"192.168.0.1:51137","server":"192.168.0.2:6379","command":"SET","key":"foo","summary":"set foo",' +
      '"status":"ok","error":null,"start":"2020-03-08T19:23:06.257659Z","end":"2020-03-08T19:23:06.258761Z",' +
      '"latency_us":1102,"send_us":0,"wait_us":1102,"receive_us":0,"queue_us":0,"retransmit_us":0,"rtt_us":null,' +
      '"request_bytes":31,"response_bytes":5,"request_seq":4000000001,"response_seq":5001,' +
      '"server_us":null,"zero_window_us":0,"cause":"unknown","cause_us":1102,"retransmission":null,"behind":null,"flags":[]}\n';
    assert.equal(record(transaction()), expected);
  });

  it("of an unanswered request has no end, no times and the reason", () => {
    const given = transaction({
      unanswered: "timeout",
      waitedUs: 60_000_000,
      class: TransactionClass.queued,
      flags: 129,
    });
    const expected =
      '{"type":"transaction","id":"17-204","protocol":"redis","class":"queued","side":"client",' +
      '"client":"192.168.0.1:51137","server":"192.168.0.2:6379","command":"SET","key":"foo","summary":"set foo",' +
      '"status":"unanswered","error":"timeout","start":"2020-03-08T19:23:06.257659Z","end":null,' +
      '"latency_us":null,"send_us":null,"wait_us":null,"receive_us":null,"queue_us":null,"retransmit_us":null,' +
      '"rtt_us":null,"request_bytes":31,"response_bytes":0,"request_seq":4000000001,"response_seq":null,' +
      '"server_us":null,"zero_window_us":null,"cause":"unknown","cause_us":null,"retransmission":null,"behind":null,' +
      '"flags":["pipelined","behind_blocking"]}\n';
    assert.equal(record(given), expected);
  });

  it("names an error by its first word", () => {
    for (const [errorId, error] of ["other", "ERR", "WRONGTYPE"].entries()) {
      const { status, error: shown } = JSON.parse(record(transaction({ errorId })));
      assert.deepEqual([status, shown], ["error", error]);
    }
  });

  it("names every flag as documented", () => {
    assert.deepEqual(JSON.parse(record(transaction({ flags: 255 }))).flags, FLAG_NAMES);
  });

  it("says what was sent again, and whom the request waited behind, where there was either", () => {
    const behind = { connectionId: 16, requestNumber: 9, commandId: BLPOP, us: 700, client: null };
    const theirs = { id: "16-9", command: "BLPOP", us: 700 };
    const resent = { resends: Resend.request | Resend.timeout, retransmissions: 2, resentRequestUs: 300 };
    const again = { direction: "request", by: "timeout", times: 2 };
    const fast = { resends: Resend.response | Resend.fast, retransmissions: 1, resentResponseUs: 300 };
    const cases: readonly (readonly [Partial<Transaction>, object | null, object | null])[] = [
      [{ behind }, null, theirs],
      [{ behind: { ...behind, client: "10.0.0.9:40000" } }, null, { ...theirs, elsewhere: true }],
      [resent, again, null],
      [{ ...resent, behind }, again, theirs],
      [fast, { direction: "response", by: "fast", times: 1 }, null],
    ];
    for (const [changes, retransmission, waitedBehind] of cases) {
      const told = JSON.parse(record(transaction({ ...changes, flags: 1 })));
      assert.deepEqual([told.retransmission, told.behind, told.flags], [retransmission, waitedBehind, ["pipelined"]]);
    }
  });

  it("says where the number of the connection stands that the request waited behind", () => {
    const into = Buffer.alloc(RECORD_CAPACITY);
    const format = new JsonFormat();
    const behind = { connectionId: 16, requestNumber: 9, commandId: BLPOP, us: 700, client: null };
    format.put(transaction({ behind }), into, 0);
    assert.equal(into.toString("latin1", format.behindIdAt, format.behindIdAt + 4), "16-9");
    format.put(transaction(), into, 0);
    assert.equal(format.behindIdAt, -1);
  });

  it("has no key where the command has none, and the command's name where no text was kept", () => {
    const { key, summary } = JSON.parse(record(transaction({ words: "" })));
    assert.deepEqual([key, summary], [null, "SET"]);
  });

  it("parses whatever came from the wire, and shows it as the line does", () => {
    const shown = (bytes: Uint8Array): string =>
      Array.from(bytes, (byte) =>
        byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
      ).join("");
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 128 }), fc.nat(), fc.nat(), (words, a, b) => {
        const [keyStart, keyEnd] = [a % words.length, b % words.length].sort((x, y) => x - y) as [number, number];
        const text = record({ ...transaction({ words }), keyStart, keyEnd });
        assert.match(text, /^[\x20-\x7e]*\n$/);
        const { key, summary } = JSON.parse(text);
        assert.equal(summary, shown(words));
        assert.equal(key, keyStart === keyEnd ? null : shown(words.subarray(keyStart, keyEnd)));
      }),
      { numRuns: 1000 },
    );
  });

  it("fits its room whatever it shows", () => {
    const words = new Uint8Array(128);
    const huge = 2 ** 53 - 1;
    const longest = transaction({
      words,
      connectionId: huge,
      requestNumber: huge,
      latencyUs: huge,
      waitUs: huge,
      flags: 255,
      resends: Resend.request | Resend.timeout,
      retransmissions: Resend.count,
      behind: { connectionId: huge, requestNumber: huge, commandId: BLPOP, us: huge, client: "10.0.0.9:40000" },
    });
    const text = record({ ...longest, endUs: 0, keyStart: 0, keyEnd: 128, requestBytes: huge, responseBytes: huge });
    assert.equal(JSON.parse(text).latency_us, huge);
    assert.ok(text.length < RECORD_CAPACITY * 0.6, `${text.length} bytes`);
  });
});

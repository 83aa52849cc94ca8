import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Catalogue } from "../../src/diff/catalogue.ts";
import { readRecords } from "../../src/diff/read-records.ts";
import { RecordStore } from "../../src/diff/record-store.ts";
import { TcplatError } from "../../src/errors.ts";
import { fileOf } from "./two-hosts.ts";

const RECORD = {
  type: "transaction",
  id: "17-204",
  protocol: "redis",
  class: "normal",
  side: "client",
  client: "192.168.0.1:51137",
  server: "192.168.0.2:6379",
  command: "SET",
  key: "foo",
  summary: "set foo",
  status: "ok",
  error: null,
  start: "2020-03-08T19:23:06.257659Z",
  end: "2020-03-08T19:23:06.258761Z",
  latency_us: 1102,
  send_us: 2,
  wait_us: 1000,
  receive_us: 100,
  queue_us: 0,
  request_bytes: 31,
  response_bytes: 5,
  request_seq: 4_294_967_295,
  response_seq: 0,
  flags: ["pipelined", "gap", "of a later version"],
};
const START_US = Date.UTC(2020, 2, 8, 19, 23, 6) * 1000 + 257_659;

function linesOf(...records: readonly unknown[]): string {
  return records.map((record) => `${typeof record === "string" ? record : JSON.stringify(record)}\n`).join("");
}

async function read(content: string, capacity?: number) {
  const catalogue = new Catalogue();
  const records = new RecordStore(capacity);
  return { catalogue, records, view: await readRecords(fileOf("records.json", content), catalogue, records) };
}

describe("A file of records", () => {
  it("is read field by field", async () => {
    const { view, records, catalogue } = await read(linesOf(RECORD));
    assert.equal(records.count, 1);
    assert.deepEqual(catalogue.pair(records.get(0, "pair")), { client: RECORD.client, server: RECORD.server });
    assert.deepEqual(catalogue.kind(records.get(0, "kind")), { protocol: "redis", command: "SET" });
    assert.deepEqual(catalogue.outcome(records.get(0, "outcome")), { status: "ok", error: null });
    const sequences = [records.get(0, "requestSequence"), records.get(0, "responseSequence")];
    assert.deepEqual([...sequences, records.get(0, "flags")], [2 ** 32 - 1, 0, 5]);
    assert.deepEqual([records.get(0, "startUs"), records.responseStartUs(0)], [START_US, START_US + 1002]);
    assert.deepEqual([view.firstUs, view.lastUs, view.unlisted, view.unreadable], [START_US, START_US + 1102, null, 0]);
  });

  it("may hold requests without an answer", async () => {
    const times = { end: null, latency_us: null, send_us: null, wait_us: null, receive_us: null, response_seq: null };
    const { records, catalogue } = await read(linesOf({ ...RECORD, ...times, status: "unanswered", error: "timeout" }));
    assert.equal(records.isAnswered(0), false);
    assert.deepEqual(catalogue.outcome(records.get(0, "outcome")), { status: "unanswered", error: "timeout" });
  });

  it("tells by its summary how many requests it does not hold", async () => {
    const summary = {
      type: "summary",
      "requests.redis.192.168.0.2:6379.SET": 12,
      "requests.redis.192.168.0.2:6379.GET": 3,
      "no_reply_requests.redis": 4,
      requests_in_flight: 1,
      "tcp_gaps.192.168.0.2:6379": 2,
    };
    const { view } = await read(linesOf(RECORD, RECORD, summary));
    assert.deepEqual([view.unlisted, view.gaps], [15 - 4 - 1 - 2, 2]);
  });

  it("is kept up to a limit, and counted beyond it", async () => {
    const { records } = await read(linesOf(...new Array<unknown>(3000).fill(RECORD)), 2500);
    assert.deepEqual([records.count, records.refused], [2500, 500]);
  });

  const BROKEN: readonly (readonly [string, unknown])[] = [
    ["a line cut in the middle", JSON.stringify(RECORD).slice(0, 200)],
    ["a text", '"text"'],
    ["no id", { ...RECORD, id: null }],
    ["an id of another shape", { ...RECORD, id: "1-2-3" }],
    ["no time", { ...RECORD, start: "yesterday" }],
    ["a time that does not exist", { ...RECORD, start: "2020-13-45T99:23:06.257659Z" }],
    ["a sequence number that is none", { ...RECORD, request_seq: 2 ** 32 }],
    ["a negative one", { ...RECORD, request_seq: -1 }],
    ["an infinite latency", JSON.stringify(RECORD).replace("1102", "1e999")],
    ["parts that do not add up", { ...RECORD, wait_us: 5 }],
    ["bytes that are none", { ...RECORD, request_bytes: "31" }],
    ["an endpoint that is none", { ...RECORD, client: 5 }],
    ["a line of 20 MB", `{"type":"transaction","x":"${"x".repeat(20_000_000)}"}`],
  ];
  for (const [name, line] of BROKEN) {
    it(`with ${name} is read without that line, which is counted`, async () => {
      const { view, records } = await read(linesOf(RECORD, line, RECORD));
      assert.deepEqual([records.count, view.unreadable], [2, 1]);
    });
  }

  it("whose last line is cut is read up to that", async () => {
    const { view, records } = await read(linesOf(RECORD) + JSON.stringify(RECORD).slice(0, 100));
    assert.deepEqual([records.count, view.unreadable], [1, 1]);
  });

  it("may hold records of other types, of a later version", async () => {
    const { view, records } = await read(linesOf(RECORD, { type: "connect", server: "a" }));
    assert.deepEqual([records.count, view.unreadable], [1, 0]);
  });

  it("brings no control characters, and no endless texts, to a terminal", async () => {
    const hostile = {
      client: "\u001b[31m\nA B:1",
      command: "GET\u009b",
      summary: `\u001b]0;x\u0007${"é".repeat(1000)}`,
    };
    const { records, catalogue } = await read(linesOf({ ...RECORD, ...hostile, status: "error", error: "\u0000X" }));
    const { client } = catalogue.pair(records.get(0, "pair"));
    const { command } = catalogue.kind(records.get(0, "kind"));
    const { error } = catalogue.outcome(records.get(0, "outcome"));
    assert.deepEqual([client, command, error], ["\\x1b[31m\\x0aA_B:1", "GET\\xc2\\x9b", "\\x00X"]);
    assert.match(records.text(0), /^\\x1b\]0;x\\x07[\x20-\x7e]+$/);
    assert.ok(records.text(0).length < 5000);
  });

  it("that is none, or too old, is refused in one sentence", async () => {
    for (const [content, sentence] of [
      ["{}\n", /holds no record of tcplat --json/],
      ["{ not ours\n", /holds no record of tcplat --json/],
      [linesOf({ ...RECORD, request_seq: undefined }), /no request_seq in its records/],
    ] as const) {
      await assert.rejects(
        read(content),
        (error) => error instanceof TcplatError && error.code === "file" && sentence.test(error.message),
      );
    }
  });
});

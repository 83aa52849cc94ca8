import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonRecord } from "../support/tcplat.ts";
import { differences, readTruth } from "./truth.ts";

const COLUMNS = "kind client server cmd key req_first_ts rsp_last_ts lat_fl_ns flags vis";
/** 2020-09-13T12:26:40Z. */
const SECOND = 1_600_000_000;

/** A truth of one exchange that begins at `.000100` and takes 250 µs. */
function truth(row: Readonly<Record<string, string>> = {}, head = "") {
  const cells = {
    kind: "pair",
    client: "10.0.0.1:40001",
    server: "10.0.0.2:6379",
    cmd: "GET",
    key: "foo",
    req_first_ts: `${SECOND}000100999`,
    rsp_last_ts: `${SECOND}000350999`,
    lat_fl_ns: "250000",
    flags: "",
    vis: "",
    ...row,
  };
  const names = COLUMNS.split(" ");
  const line = names.map((name) => cells[name as keyof typeof cells]).join("\t");
  return readTruth(`# capture=made/a.pcap\n# protocol=redis\n# a note\n${head}${names.join("\t")}\n${line}\n`);
}

function record(changes: Partial<JsonRecord> = {}): JsonRecord {
  const times = { start: "2020-09-13T12:26:40.000100Z", end: "2020-09-13T12:26:40.000350Z", latency_us: 250 };
  const ends = { client: "10.0.0.1:40001", server: "10.0.0.2:6379" };
  return { ...ends, ...times, command: "GET", class: "normal", flags: [], ...changes } as JsonRecord;
}

describe("the comparison with a truth file", () => {
  it("reads its head and its rows", () => {
    const { capture, protocol, ports, isDecidable } = truth();
    assert.deepEqual([capture, protocol, ports, isDecidable], ["made/a.pcap", "redis", [6379], true]);
    assert.equal(truth({}, "# undecidable=a hole\n").isDecidable, false);
  });

  for (const [name, of, records, problems] of [
    ["a pair that is there", truth(), [record()], []],
    ["a latency one microsecond off", truth(), [record({ latency_us: 251 })], []],
    ["a latency two microseconds off", truth(), [record({ latency_us: 252 })], [/^wrong: GET foo .* 250 µs, not 252/]],
    ["a pair that is not there", truth(), [], [/^missing: GET foo/]],
    ["a pair that nobody can decide", truth({}, "# undecidable=1\n"), [], []],
    ["a pair of another connection", truth(), [record({ client: "10.0.0.1:2" })], [/^missing/, /^invented: GET/]],
    ["one record too many", truth(), [record(), record()], [/^invented: GET/]],
    ["a log-in too many", truth(), [record(), record({ class: "connect" })], []],
    ["a response that is not in the file", truth({ vis: "req:full rsp:none" }), [record()], [/^paired without/]],
    ["an exchange that is partly there", truth({ vis: "req:full rsp:part" }), [record({ latency_us: 9 })], []],
    ["what takes longer than a request may", truth({ lat_fl_ns: "70000000000" }), [], []],
  ] as const) {
    it(`judges ${name}`, () => {
      const found = differences(of, records);
      assert.equal(found.length, problems.length, found.join("; "));
      for (const [i, problem] of problems.entries()) assert.match(found[i]!, problem);
    });
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Fault } from "../../src/condition/fault.ts";
import { FIELDS } from "../../src/condition/fields.ts";
import { parseCondition } from "../../src/condition/grammar.ts";
import { Resend } from "../../src/transactions/resend.ts";
import { type Connect, Flag, type Transaction } from "../../src/transactions/transaction.ts";
import { CACHE, GET, KV, SERVER, START_US, transaction } from "../aggregate/fixtures.ts";

/** 6 ms, of which 5 on a retransmission: GET user:1 by an IPv6 client. */
const SLOW = transaction({
  words: "get user:1",
  commandId: GET,
  latencyUs: 6000,
  sendUs: 0,
  waitUs: 5900,
  receiveUs: 100,
  rttUs: 300,
  toServerUs: 300,
  resends: Resend.timeout | Resend.request | 1,
  retransmissions: 1,
  resentRequestUs: 5000,
  flags: Flag.retransmission | Flag.pipelined,
  client: { text: "[2001:db8::1]:51137" },
  responseBytes: 10_000,
});
const FAST = transaction({ words: "set foo", latencyUs: 102 });
const FAILED = transaction({ words: "set foo", errorId: 2 });
const UNANSWERED = transaction({ words: "set foo", unanswered: "timeout", waitedUs: 60_000_000, rttUs: 400 });
const BINARY = transaction({ words: Buffer.from('get \xe4\x00\\"', "latin1"), key: '\xe4\x00\\"' });
const KEYLESS = transaction({ words: "ping", key: undefined as never, commandId: 4 });
const CACHED = transaction({ protocol: CACHE, commandId: 1, words: "get käse", key: "käse" });

const TABLE: readonly (readonly [string, Transaction, boolean])[] = [
  [
    'latency > 5ms and command in ["GET","MGET"] and key =~ "^user:" and client in 2001:db8::/32 and not error',
    SLOW,
    true,
  ],
  [
    'latency > 5ms and command in ["GET","MGET"] and key =~ "^user:" and client in 10.0.0.0/8 and not error',
    SLOW,
    false,
  ],
  // numbers and units
  ["latency > 5999us", SLOW, true],
  ["latency > 6ms", SLOW, false],
  ["latency >= 6.0ms", SLOW, true],
  ["latency = 6ms", SLOW, true],
  ["latency != 6ms", SLOW, false],
  ["latency < 1s", SLOW, true],
  ["latency <= 5.999ms", SLOW, false],
  ["latency_us >= 6000", SLOW, true],
  ["latency_us > 6ms", SLOW, false],
  ["latency > 0", FAST, true],
  ["wait = 5900µs and receive = 100us and send = 0", SLOW, true],
  ["retransmit = 5ms", SLOW, true],
  ["rtt < 1ms", SLOW, true],
  ["rtt", FAST, false],
  ["server_time = 5600us and server_us = 5600", SLOW, true],
  ["cause_time = 5ms and cause_us = 5000", SLOW, true],
  ["queue or zero_window", SLOW, false],
  ["queue", transaction({ queueUs: 1 }), true],
  ["response_bytes >= 10k", SLOW, true],
  ["response_bytes >= 10ki", SLOW, false],
  ["response_bytes = 10000 and request_bytes = 31b", SLOW, true],
  ["request_seq = 4000000001", SLOW, true],
  ['start >= "2020-03-08T19:23:06.257659Z"', FAST, true],
  ['start > "2020-03-08T19:23:06.257659Z"', FAST, false],
  ['end < "2020-03-08T20:23:06+01:00"', FAST, false],
  ['end < "2020-03-09" and end > "2020-03-07 12:00"', FAST, true],
  // texts
  ['command = "get"', SLOW, true],
  ['command == "GET"', CACHED, true],
  ['command not in ["GET", "MGET"]', SLOW, false],
  ["command in ('SET')", FAST, true],
  ['key = "user:1"', SLOW, true],
  ['key != "user:1"', SLOW, false],
  ['key !~ "^user:"', SLOW, false],
  ['key =~ "USER"', SLOW, false],
  ['key =~ "(?i)USER:\\d$"', SLOW, true],
  ['summary = "get user:1"', SLOW, true],
  [
    'status = "ok" and class = "normal" and protocol = "redis" and side = "client" and type = "transaction"',
    SLOW,
    true,
  ],
  ['cause = "retransmission"', SLOW, true],
  ['retransmission = "request"', SLOW, true],
  ["retransmission", FAST, false],
  ['error = "WRONGTYPE" and status = "error"', FAILED, true],
  ["error", FAILED, true],
  ["not error", FAST, true],
  // bytes
  ['key = "\\xe4\\x00\\\\\\""', BINARY, true],
  ['key =~ "^\\xe4\\x00"', BINARY, true],
  ['key = "käse"', transaction({ words: Buffer.from("get käse"), key: Buffer.from("käse").toString("latin1") }), true],
  ['key =~ "k.?ä"', transaction({ words: Buffer.from("get käse"), key: Buffer.from("käse").toString("latin1") }), true],
  ["key = 'user:\\'1'", SLOW, false],
  // what is not there
  ["key", KEYLESS, false],
  ['key = "x"', KEYLESS, false],
  ['key != "x"', KEYLESS, true],
  ['key =~ ""', KEYLESS, false],
  ['key !~ "x"', KEYLESS, true],
  ['key in ["x"]', KEYLESS, false],
  ['key not in ["x"]', KEYLESS, true],
  ["latency > 5ms", UNANSWERED, false],
  ["latency < 5ms", UNANSWERED, false],
  ["latency != 5ms", UNANSWERED, true],
  ['status = "unanswered" and error = "timeout" and cause = "unknown"', UNANSWERED, true],
  ["rtt = 400us", UNANSWERED, true],
  // addresses
  ["server = 192.168.0.2", FAST, true],
  ["server = 192.168.0.2:6379", FAST, true],
  ["server = 192.168.0.2:6380", FAST, false],
  ["server = 192.168.0.3:6379", FAST, false],
  ["server = :6379", FAST, true],
  ["server = *:6379", FAST, true],
  ["server = :6380", FAST, false],
  ["server in [10.0.0.1, 192.168.0.0/24]", FAST, true],
  ["server in 192.168.0.3/31", FAST, true],
  ["server in 192.168.0.0/31", FAST, false],
  ["server in 0.0.0.0/0", FAST, true],
  ["client in 0.0.0.0/0", SLOW, false],
  ["client in ::/0", SLOW, true],
  ["client not in 2001:db8::/127", SLOW, false],
  ["client = [2001:DB8:0::1]:51137", SLOW, true],
  ['client = "[2001:db8::1]:51137"', SLOW, true],
  ["client in [[2001:db8::1]:51137]", SLOW, true],
  ["client in 2001:db9::/32", SLOW, false],
  ["client = 2001:db8:0:0:0:0:0:1", SLOW, true],
  ["client = 2001:db8::0.0.0.1", SLOW, true],
  ["client = 2001:db8::0.1.0.1", SLOW, false],
  ["server = ::ffff:192.168.0.2", FAST, true],
  ["server = ::ffff:c0a8:2", FAST, true],
  ["server = ::fffe:192.168.0.2", FAST, false],
  ['client =~ ":51137$"', SLOW, true],
  ["client != 10.0.0.1", SLOW, true],
  // flags
  ['flags = "retransmission"', SLOW, true],
  ['flags in ["gap", "pipelined"]', SLOW, true],
  ['flags != "gap"', SLOW, true],
  ['flags not in ["gap", "pipelined"]', SLOW, false],
  ["flags", FAST, false],
  // and, or, not, brackets
  ['command = "SET" or command = "GET" and latency > 1s', FAST, true],
  ['(command = "SET" or command = "GET") and latency > 1s', FAST, false],
  ["not (error or key)", KEYLESS, true],
  ["not not error", FAILED, true],
  ["!error && key || flags", FAST, true],
  [`${"(".repeat(90)}key${")".repeat(90)}`, FAST, true],
];

describe("an expression", () => {
  for (const [expression, of, isTaken] of TABLE) {
    test(`${isTaken ? "takes" : "does not take"} ${Buffer.from(of.text).toString("latin1")}: ${expression.slice(0, 120)}`, () => {
      assert.equal(parseCondition(expression).takes(of), isTaken);
    });
  }

  test("reads every field of a transaction and of a connection", () => {
    for (const [name, { type }] of FIELDS) {
      const expression = type === "endpoint" ? `${name} = :1` : type === "time" ? `${name} > "2020-01-01"` : name;
      const condition = parseCondition(`${expression} or status = "ok"`);
      assert.equal(condition.takes(SLOW), true, name);
      assert.equal(typeof condition.takesConnect(CONNECT), "boolean", name);
    }
  });
});

const CONNECT: Connect = {
  connectionId: 17,
  client: { text: "192.168.0.1:51137" },
  serverEndpoint: { text: "192.168.0.2:6379" },
  server: SERVER,
  side: "client",
  protocol: KV.name,
  endUs: START_US,
  latencyUs: 1_003_100,
  synRetransmissions: 1,
  rttUs: null,
};

test("of a connection that was made slowly an expression sees what its record has", () => {
  const takes = (expression: string) => parseCondition(expression).takesConnect(CONNECT);
  for (const expression of ["latency > 1s", 'type = "connect"', "client = 192.168.0.1", "syn_retransmissions >= 1"]) {
    assert.equal(takes(expression), true, expression);
  }
  for (const expression of ['command = "GET"', "key", "rtt < 1s", 'status = "ok"']) {
    assert.equal(takes(expression), false, expression);
  }
});

/** The expression with the place between marks, and what is said. */
const WRONG: readonly (readonly [string, RegExp])[] = [
  ["«latncy» > 5ms", /did you mean latency\?/],
  ["«frobnicate»", /the fields are latency, send, /],
  ["latency > «5»", /a duration with its unit/],
  ["latency > «5x»", /a duration with its unit/],
  ["latency > «5k»", /a duration with its unit/],
  ['latency > «"5ms"»', /a duration with its unit/],
  ['latency «=~» "5"', /latency is a duration and cannot be compared with "=~"/],
  ["latency «in» [5ms]", /cannot be compared with "in"/],
  ["request_bytes > «5ms»", /a number of bytes/],
  ["key «>» 5", /key is a text and cannot be compared with ">"/],
  ["key = «foo»", /put what it is compared with in quotes, "foo"/],
  ["command in [«GET»]", /quotes/],
  ['status = «"bad"»', /one of ok, error, unanswered/],
  ['protocol = «"redsi"»', /one of redis, /],
  ['flags = «"slow"»', /the flags are "pipelined"/],
  ["client in «10.0.0.0/33»", /is an address and port/],
  ["client in «10.0.0.256»", /is an address and port/],
  ["client in «2001:db8::/129»", /is an address and port/],
  ["client in «1::2::3»", /is an address and port/],
  ["«client»", /must be compared with something/],
  ['start > «"yesterday"»', /a time in quotes/],
  ['key =~ «"(a"»', /no regular expression: missing closing \)/],
  ['key =~ «"a{1000}{1000}"»', /no regular expression/],
  ['key =~ «"(?=a)"»', /no regular expression/],
  ['key = "a«\\q»"', /a backslash in a text/],
  ['key = «"abc»', /this quote is never closed/],
  ["«(»key", /never closed/],
  ['key in «[»"a"', /never closed/],
  ["key«)»", /cannot stand here/],
  ["key «key»", /"and" or "or" is missing before it/],
  ["key and«»", /a field is missing at the end/],
  ["key =«»", /a value is missing at the end/],
  ["key and «and»", /a field is missing before "and"/],
  ["key in [«]»", /a value is missing before "\]"/],
  ['«"key"» = "a"', /begins with a field/],
  ["key «;» rm", /no part of an expression/],
  [`${"(".repeat(100)}«(»`, /too many brackets/],
];

describe("a wrong expression is refused, with its place:", () => {
  for (const [marked, sentence] of WRONG) {
    test(marked.slice(-60), () => {
      const start = marked.indexOf("«");
      const expression = marked.replace(/[«»]/g, "");
      assert.throws(
        () => parseCondition(expression),
        (error) => {
          assert.ok(error instanceof Fault, String(error));
          assert.match(error.message, sentence);
          assert.equal(expression.slice(error.start, error.end), marked.slice(start + 1, marked.indexOf("»")));
          return true;
        },
      );
    });
  }

  test("a very long one", () => {
    assert.throws(() => parseCondition("key ".repeat(2000)), /at most 4096 characters/);
  });
});

test("whatever is typed is compiled or refused", () => {
  const word = fc.constantFrom(
    ...[
      "latency",
      "key",
      "flags",
      "client",
      "and",
      "or",
      "not",
      "in",
      "(",
      ")",
      "[",
      "]",
      ",",
      "=",
      "=~",
      ">",
      "5ms",
      '"a"',
      "10.0.0.0/8",
      "::1",
      '"',
      "\\",
    ],
  );
  const typed = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(typed, (expression) => {
      try {
        assert.equal(typeof parseCondition(expression).takes(SLOW), "boolean");
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        assert.ok(error.start >= 0 && error.start <= error.end);
      }
    }),
  );
});

test("no regular expression takes long for any key", () => {
  const key = `${"a".repeat(127)}b`;
  const of = transaction({ words: `get ${key}`, key });
  for (const pattern of ["(a+)+$", "(a|aa)+$", "(a*)*c", "((a{0,20}){0,20}){0,2}c", "(.*)(.*)(.*)(.*)(.*)[0-9]$"]) {
    const { takes } = parseCondition(`key =~ "${pattern}"`);
    const began = process.cpuUsage();
    for (let i = 0; i < 10; i++) assert.equal(takes(of), false);
    // JavaScript's own engine needs longer than anybody waits for the first two.
    assert.ok(process.cpuUsage(began).user < 2_000_000, pattern);
  }
});

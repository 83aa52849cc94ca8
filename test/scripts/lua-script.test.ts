import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ScriptRefusal } from "../../src/scripts/loaded-script.ts";
import { udpFrame } from "../support/pcap-file.ts";
import { BEGIN_US, Dialogue, ETHERNET, frameOf, type SegmentChange } from "../support/segments.ts";
import { runLua, sliceOf } from "./run-script.ts";

const TIME_US = BEGIN_US + 42;

/** A frame from 10.0.0.1:40001 to 10.0.0.2:6379. */
function frame(payload = "", change: SegmentChange = {}): Uint8Array {
  return frameOf(new Dialogue().client(0, payload, change));
}

/** What a script prints that says these fields of each packet, separated by blanks. */
function fields(expression: string, ...frames: readonly Uint8Array[]): readonly string[] {
  const { lines, errors } = runLua(`function process(packet) print(${expression}) end`, sliceOf(frames, TIME_US));
  assert.deepEqual(errors, []);
  return lines.map((line) => line.replaceAll("\t", " "));
}

describe("a packet has", () => {
  const v6 = new Dialogue({ address: "2001:db8::1", port: 40001 }, { address: "2001:db8::2", port: 6379 });
  const rows: readonly [string, string, Uint8Array, string][] = [
    [
      "its time in two parts",
      "packet.tv_sec, packet.tv_usec",
      frame(),
      `${Math.floor(TIME_US / 1e6)} ${TIME_US % 1e6}`,
    ],
    [
      "addresses and ports",
      "packet.sip, packet.sport, packet.dip, packet.dport",
      frame(),
      "10.0.0.1 40001 10.0.0.2 6379",
    ],
    [
      "IPv6 addresses without brackets",
      "packet.sip, packet.dip",
      frameOf(v6.client(0, "x")),
      "2001:db8::1 2001:db8::2",
    ],
    [
      "sequence numbers without a sign",
      `string.format("%u", packet.seq), packet.seq + 1`,
      frame("x", { sequence: 4_294_967_295 }),
      "4294967295 4294967296",
    ],
    [
      "the number acknowledged, the window",
      "packet.ack, packet.window",
      frame("x", { acknowledgement: 77, window: 65_535 }),
      "77 65535",
    ],
    ["SYN as 2, also with ECN's bits", "packet.flags", frame("", { flags: 0xc2 }), "2"],
    ["its flags added up", "packet.flags", frame("", { flags: 0x3f }), "31"],
    ["a payload and its size", "packet.size, packet.payload", frame("PING\r"), "5 PING\r"],
    ["an empty payload", "packet.size, #packet.payload, type(packet.payload)", frame(), "0 0 string"],
    [
      "no flags, numbers or window over UDP",
      "packet.seq, packet.ack, packet.flags, packet.window, packet.sport",
      udpFrame(53, 9, "x"),
      "nil nil nil nil 53",
    ],
    ["UDP's payload without its header", "packet.size, packet.payload", udpFrame(53, 9, "query"), "5 query"],
  ];
  for (const [name, expression, of, expected] of rows) {
    test(name, () => assert.deepEqual(fields(expression, of), [expected]));
  }

  test("a payload byte for byte, whatever is in it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const payload = Buffer.from(bytes).toString("latin1");
        const hex = `(packet.payload:gsub(".", function(c) return string.format("%02x", c:byte()) end))`;
        return fields(hex, frame(payload))[0] === Buffer.from(bytes).toString("hex");
      }),
      { numRuns: 20 },
    );
  });

  test("what was captured of it, where the snaplen cut", () => {
    const slice = sliceOf([frame("0123456789")], TIME_US, 1, 58);
    assert.deepEqual(runLua("function process(p) print(p.size, p.payload) end", slice).lines, ["4\t0123"]);
  });

  test("its link's padding left out", () => {
    const padded = frameOf(new Dialogue().client(0, "x"), { ...ETHERNET, padTo: 60 });
    assert.deepEqual(fields("packet.size", padded), ["1"]);
  });
});

test("frames that are neither TCP nor UDP are left out, and what follows is not", () => {
  const icmp = udpFrame(1, 2, "x");
  icmp[14 + 9] = 1;
  assert.deepEqual(fields("packet.sport", icmp, frame(), icmp, udpFrame(53, 9, "x")), ["40001", "53"]);
});

test("thousands of packets come each once, in order, whatever batches they are handed over in", () => {
  const frames = Array.from({ length: 3000 }, (_, sequence) => frame("x".repeat(200), { sequence }));
  assert.deepEqual(
    fields("packet.seq", ...frames),
    Array.from({ length: 3000 }, (_, sequence) => String(sequence)),
  );
});

test("more than a megabyte printed by one call arrives whole", () => {
  const { lines } = runLua(
    "function process(p) for i = 1, 20000 do print(i, ('x'):rep(60)) end end",
    sliceOf([frame(), frame()], TIME_US),
  );
  assert.equal(lines.length, 40_000);
});

describe("as in tcpkit, which embeds Lua 5.2, a script finds", () => {
  const rows: readonly [string, string, string][] = [
    ["bit32", "bit32.band(0xff, bit32.lshift(1, 3)), bit32.rshift(0x8000, 15)", "8 1"],
    ["numbers that need no integer", `10 / 2, 2^31 * 2, string.format("%d", 3)`, "5 4294967296 3"],
    [
      "os.date",
      `os.date("!%Y-%m-%d %H:%M:%S", 86399), os.date("!%H", 0), os.date("!*t", 0).year`,
      "1970-01-01 23:59:59 00 1970",
    ],
    ["os.time and os.clock", "type(os.time()), type(os.clock()), os.difftime(3, 1)", "number number 2"],
    [
      "string's functions",
      `("a,b"):find(",", 1, true), ("x"):byte(), ("%d"):format(7), ("abc"):gsub("b", "-")`,
      "2 120 7 a-c 1",
    ],
    ["texts with NUL", `#"a\\0b", ("a\\0b"):byte(2)`, "3 0"],
    ["table and math", `table.concat({1, 2}, "-"), math.floor(2.5), math.max(1, 3)`, "1-2 2 3"],
    ["unpack, as in Lua 5.1", "unpack({1, 2})", "1 2"],
    ["loadstring, as in Lua 5.1", `loadstring("return 1 + 1")()`, "2"],
    ["pcall", `pcall(error, "x", 0)`, "false x"],
    ["coroutines", `coroutine.wrap(function() coroutine.yield(7) end)()`, "7"],
    ["_VERSION", "_VERSION", "Lua 5.2"],
  ];
  for (const [name, expression, expected] of rows) {
    test(name, () => assert.deepEqual(fields(expression, frame()), [expected]));
  }
});

describe("a script finds nothing that reaches beyond it:", () => {
  for (const name of [
    "io",
    "debug",
    "package",
    "require",
    "dofile",
    "loadfile",
    "module",
    "os.execute",
    "os.exit",
    "os.getenv",
    "os.remove",
    "os.rename",
    "os.tmpname",
    "os.setlocale",
    "string.dump",
  ]) {
    test(name, () => assert.deepEqual(fields(name, frame()), ["nil"]));
  }

  test("no compiled Lua, which nobody checks", () => {
    assert.deepEqual(fields(`load("\\27Lua", "x", "b")`, frame()), [
      "nil attempt to load a binary chunk (mode is 't')",
    ]);
    assert.throws(() => runLua("\x1bLuaR"), ScriptRefusal);
  });
});

describe("a call that does not end, or takes all memory, is ended, and the next packet is processed:", () => {
  const rows: readonly [string, string, RegExp][] = [
    ["a loop", "while true do end", /^script\.lua:2: the call was ended after 10000000 instructions$/],
    [
      "a loop that catches errors",
      "while true do pcall(function() while true do end end) end",
      /^script\.lua:2: the call was ended/,
    ],
    [
      "a loop in a coroutine",
      "coroutine.wrap(function() while true do end end)()",
      /^script\.lua:2: the call was ended/,
    ],
    ["a text that doubles", "local s = 'x' while true do s = s .. s end", /script\.lua: not enough memory/],
    ["a text of a gigabyte", "local s = ('x'):rep(1e9)", /script\.lua: not enough memory/],
    ["a table that grows", "local t = {} while true do t[#t + 1] = {} end", /script\.lua: not enough memory|was ended/],
    ["a recursion", "local function f() return 1 + f() end f()", /script\.lua: not enough memory|stack overflow/],
  ];
  for (const [name, body, expected] of rows) {
    test(name, () => {
      const source = `local n = 0\nfunction process(packet) n = n + 1 if n == 2 then ${body} end print(n) end`;
      const { lines, errors } = runLua(
        source,
        sliceOf([frame(), frame(), frame()], TIME_US),
        sliceOf([frame()], TIME_US),
      );
      assert.deepEqual(lines, ["1", "3", "4"]);
      assert.equal(errors.length, 1);
      assert.equal(errors[0]!.count, 1);
      assert.match(errors[0]!.message, expected);
    });
  }
});

describe("an error says its file and line:", () => {
  const rows: readonly [string, string, string][] = [
    ["an index of nil", "local x = packet.nosuch.y", "script.lua:2: attempt to index field 'nosuch' (a nil value)"],
    ["one without a place", `error("odd", 0)`, "script.lua:2: odd"],
    ["one that is no text", "error({})", "script.lua:2: (the error is a table)"],
    [
      "a wrong argument",
      `os.date("%Q", 1)`,
      "script.lua:2: bad argument #1 to 'date' (invalid conversion specifier '%Q')",
    ],
    ["text from the wire in it", `error("\\27[2J\\nx", 0)`, "script.lua:2:  [2J x"],
  ];
  for (const [name, body, expected] of rows) {
    test(name, () => {
      const { errors } = runLua(`function process(packet)\n${body} end`, sliceOf([frame(), frame(), frame()], TIME_US));
      assert.deepEqual(errors, [{ message: expected, count: 3 }]);
    });
  }
});

test("a script that breaks what it was given breaks nothing else", () => {
  const source = `function process(packet) print(packet.sport) _G.table, _G.string, _G.print, _G.os, _G.error, _G.process = nil end`;
  const { lines, errors } = runLua(source, sliceOf([frame(), frame()], TIME_US), sliceOf([frame()], TIME_US));
  assert.deepEqual(lines, ["40001"]);
  assert.deepEqual(errors, [{ message: "script.lua: process is no function any more", count: 2 }]);
});

describe("a script is refused, with the place:", () => {
  const rows: readonly [string, string, RegExp][] = [
    ["wrong syntax", "x = = 1", /script\.lua:1: unexpected symbol near '='/],
    ["an error while it loads", "\n\nlocal x = nil + 1", /script\.lua:3: attempt to perform arithmetic/],
    ["no function process", "x = 1", /script\.lua: no function process\(packet\)/],
    ["a loop while it loads", "\nwhile true do end", /script\.lua:2: the call was ended/],
  ];
  for (const [name, source, expected] of rows) {
    test(name, () => assert.throws(() => runLua(source), expected));
  }
});

test("a first line for the shell is skipped, and lines keep their numbers", () => {
  assert.throws(() => runLua("#!/usr/bin/env lua\nx = = 1"), /script\.lua:2:/);
});

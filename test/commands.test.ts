import assert from "node:assert/strict";
import { test } from "node:test";
import { TcplatError } from "../src/errors.ts";
import { type Invocation, parseCommandLine } from "../src/options/parse.ts";

function parse(words: readonly string[]): Invocation {
  return parseCommandLine(words, { protocols: ["redis"], env: {}, readConfig: () => new Map() });
}

test("a command takes its own words, and the rest is the filter", () => {
  const filters: readonly (readonly [string, string])[] = [
    ["diff a.pcap b.pcap", ""],
    ["diff a.pcap b.pcap tcp", "tcp"],
    ["diff a.pcap -p redis b.pcap tcp port 6379", "tcp port 6379"],
    ["explain -r a.pcap 17-204", ""],
    ["explain 17-204 -r a.pcap tcp", "tcp"],
    ["explain 17-204 tcp port 6379 -r a.pcap", "tcp port 6379"],
    ["report -r a.pcap -o a.html", ""],
    ["report -r a.pcap -o a.html tcp", "tcp"],
    ["report tcp port 6379 -r a.pcap -o a.html", "tcp port 6379"],
  ];
  for (const [line, filter] of filters) {
    const invocation = parse(line.split(" "));
    assert.ok("options" in invocation, line);
    assert.equal(invocation.options.filter, filter, line);
  }
  const diff = parse(["diff", "a file.pcap", "-"]);
  assert.ok(diff.kind === "diff");
  assert.deepEqual([diff.files.client, diff.files.server], ["a file.pcap", "-"]);
  const explain = parse("explain -r a.pcap 17-204".split(" "));
  assert.ok(explain.kind === "explain");
  assert.deepEqual(explain.id, { connectionId: 17, requestNumber: 204 });
  const slowest = parse("explain -r a.pcap tcp port 6379".split(" "));
  assert.ok(slowest.kind === "explain");
  assert.deepEqual([slowest.id, slowest.options.filter], [null, "tcp port 6379"]);
  const report = parse("report -r a.pcap -o a.html".split(" "));
  assert.ok(report.kind === "run");
  assert.deepEqual([report.options.read, report.options.report, report.options.quiet], ["a.pcap", "a.html", true]);
});

test("a word that only begins like a command is a filter", () => {
  for (const line of ["diffuse", "explained 1-1", "reports"]) {
    const run = parse(line.split(" "));
    assert.ok(run.kind === "run");
    assert.equal(run.options.filter, line);
  }
});

test("--help and --version are answered whatever a command lacks", () => {
  for (const command of ["diff", "explain", "report", "doctor", "completion", "diff a.pcap b.pcap", "explain 1-1"]) {
    assert.equal(parse([...command.split(" "), "--help"]).kind, "help");
    assert.equal(parse([...command.split(" "), "-v"]).kind, "version");
  }
});

test("what a command cannot do with its words is said in one line", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["diff a.pcap", /^diff compares two files/],
    ["diff a.pcap b.pcap -r c.pcap", /^--read has no meaning for diff, which reads two files: leave it out$/],
    ["diff a.pcap b.pcap -p raw", /^-p raw has no meaning here/],
    ["explain -r a.pcap 1x", /^explain takes a request's id, such as 17-204 .*, and 1x is none: tcplat explain/],
    ["explain -r a.pcap tcp 17-204", /^the id comes before the filter: tcplat explain -r FILE 17-204 /],
    ["explain -r a.pcap 17", /, and 17 is a connection's number: 17-1 is its first request: tcplat explain/],
    ["explain -r a.pcap 0-1", /, and 0-1 is none/],
    ["explain 17-204", /^explain reads a file: name it/],
    ["explain -r - 17-204", /^explain reads its file more than once/],
    ["report -r a.pcap", /^report writes a page: name its file/],
    ["completion tcsh", /^completion takes the name of a shell and nothing else/],
    ["completion bash zsh", /^completion takes the name of a shell/],
    ["explain -r a.pcap 1-1 -S a.lua", /--script has no meaning for explain/],
    ["diff a.pcap b.pcap -S a.lua", /--script has no meaning for diff/],
  ];
  for (const [line, message] of cases) {
    assert.throws(
      () => parse(line.split(" ")),
      (error) => error instanceof TcplatError && error.code === "usage" && message.test(error.message),
      line,
    );
  }
});

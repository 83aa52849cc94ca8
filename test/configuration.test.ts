import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TcplatError } from "../src/errors.ts";
import { parseConfig, readConfigFile } from "../src/options/config-file.ts";
import { parseCommandLine } from "../src/options/parse.ts";
import type { Options } from "../src/options.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-configuration-"));
after(() => rmSync(folder, { recursive: true }));

function options(line: string): Options {
  const words = line.split(" ").filter((word) => word !== "");
  const invocation = parseCommandLine(words, {
    protocols: ["redis", "memcached"],
    env: {},
    readConfig: readConfigFile,
  });
  assert.ok(invocation.kind === "run", `${invocation.kind} is no run`);
  return invocation.options;
}

function config(text: string): string {
  const file = join(folder, "tcplat.yaml");
  writeFileSync(file, text);
  return file;
}

test("-i on the command line captures, though the file names one to read", () => {
  const file = config("read: x.pcap\nstats-port: 4000\n");
  assert.equal(options(`--config ${file}`).read, "x.pcap");
  const live = options(`--config ${file} -i lo`);
  assert.deepEqual([live.read, live.interface, live.statsPort], [null, "lo", 4000]);
  assert.equal(options(`--config ${file} -r y.pcap`).read, "y.pcap");
});

test("a configuration file sets options by their long names, and the command line wins", () => {
  const file = config(`# as on the command line
interface: eth0
protocol: [redis:6380, memcached]
threshold: 10
json: true
stats-port: 06379
max-cpu: 20
server:
  - 10.0.0.1:6379
filter: tcp port 6380
transaction-filter: key =~ "^user:"
`);
  const fromFile = options(`--config ${file}`);
  assert.equal(fromFile.interface, "eth0");
  assert.deepEqual(fromFile.protocols, [
    { name: "redis", ports: [6380] },
    { name: "memcached", ports: [] },
  ]);
  assert.equal(fromFile.thresholdUs, 10_000);
  assert.equal(fromFile.json, true);
  assert.equal(fromFile.statsPort, 6379);
  assert.deepEqual(fromFile.servers, [{ host: "10.0.0.1", port: 6379 }]);
  assert.equal(fromFile.filter, "tcp port 6380");
  assert.equal(fromFile.condition?.expression, 'key =~ "^user:"');
  const both = options(`--config ${file} -i lo -p redis -t 2s --no-json --filter error port 1`);
  assert.equal(both.interface, "lo");
  assert.deepEqual(both.protocols, [{ name: "redis", ports: [] }]);
  assert.equal(both.thresholdUs, 2_000_000);
  assert.equal(both.json, false);
  assert.deepEqual([both.filter, both.condition?.expression], ["port 1", "error"]);
  const replay = options(`--config ${file} -r a.pcap`);
  assert.equal(replay.statsPort, 0, "a port named in the file only is not opened with -r");
  assert.deepEqual([fromFile.maxCpuPercent, replay.maxCpuPercent], [20, null], "a capture file is read whole");
});

test("an empty configuration file changes nothing", () => {
  assert.deepEqual(options(`--config ${config("# nothing\n")}`), options(""));
});

test("a mistake in a configuration file is refused with its place", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "interface: eth0\ncolour: red\n",
      /^f:2:1: there is no option colour: the names are filter, transaction-filter, interface/,
    ],
    ["quiet: 1\n", /^f:1:8: quiet must be true or false/],
    ["quiet: yes please\n", /^f:1:8: quiet must be true or false/],
    ["interface: [a, b]\n", /^f:1:12: interface must be a text or a number/],
    ["interface:\n", /^f:1:\d+: interface must be a text or a number/],
    ["interface: true\n", /^f:1:12: interface must be a text/],
    ["protocol: {redis: 6379}\n", /^f:1:11: protocol must be a text, or a list of texts/],
    ["protocol:\n  - redis\n  - [x]\n", /^f:3:5: protocol must be/],
    ["filter: ''\n", /^f:1:9: filter is empty/],
    ["help: true\n", /^f:1:1: help belongs on the command line/],
    ["config: a.yaml\n", /^f:1:1: config belongs on the command line/],
    ["n: true\n", /^f:1:1: there is no option n/],
    ["thresold: 10\n", /^f:1:1: there is no option thresold: did you mean threshold\?$/],
    ["transaction-filtr: key\n", /: did you mean transaction-filter\?$/],
    ["a: [\n", /^f:\d+:\d+: this is no YAML/],
    ["quiet: true\nquiet: false\n", /^f:2:1: this is no YAML: Map keys must be unique/],
    ["- a\n", /^f:1:1: write options as/],
    ["just words\n", /^f:1:1: write options as/],
    ["a: &x [1]\nb: *x\n", /^f:1:1: there is no option a/],
    ["interface: *x\n", /interface must be a text|this is no YAML/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseConfig("f", text),
      (error: unknown) => {
        assert.ok(error instanceof TcplatError, String(error));
        assert.match(error.message, message, text);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  }
  assert.throws(
    () => options(`--config ${config("threshold: soon\n")}`),
    (error) => error instanceof TcplatError && /tcplat.yaml:1:12: threshold soon: a time is/.test(error.message),
  );
});

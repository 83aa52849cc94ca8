import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TcplatError } from "../src/errors.ts";
import { readConfigFile } from "../src/options/config-file.ts";
import { helpText } from "../src/options/help.ts";
import { type Invocation, parseCommandLine } from "../src/options/parse.ts";
import { OPTION_TABLE } from "../src/options/table.ts";
import type { Options } from "../src/options.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-options-"));
after(() => rmSync(folder, { recursive: true }));

function parse(line: string | readonly string[], env: Record<string, string> = {}): Invocation {
  const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  return parseCommandLine(words, { protocols: ["redis", "memcached"], env, readConfig: readConfigFile });
}

function options(line: string | readonly string[]): Options {
  const invocation = parse(line);
  assert.ok(invocation.kind === "run", `${invocation.kind} is no run`);
  return invocation.options;
}

function refusal(line: string | readonly string[], env: Record<string, string> = {}): string {
  try {
    parse(line, env);
  } catch (error) {
    assert.ok(error instanceof TcplatError, String(error));
    assert.equal(error.exitStatus, 2);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail(`${JSON.stringify(line)} was accepted`);
}

function config(text: string): string {
  const file = join(folder, "tcplat.yaml");
  writeFileSync(file, text);
  return file;
}

test("without any word every default holds", () => {
  assert.deepEqual(options(""), {
    interface: "any",
    read: null,
    write: null,
    protocols: [{ name: "auto", ports: [] }],
    thresholdUs: null,
    condition: null,
    raw: null,
    count: null,
    snaplen: 65535,
    bufferKib: 65536,
    statsPort: 33333,
    statsHost: "127.0.0.1",
    metricsPort: 13333,
    metricsHost: "127.0.0.1",
    vlan: false,
    json: false,
    quiet: false,
    engine: "libpcap",
    side: "auto",
    servers: [],
    details: false,
    showValues: false,
    scripts: [],
    httpPathDepth: null,
    dumpSlow: null,
    report: null,
    idleTimeoutUs: 300_000_000,
    requestTimeoutUs: 60_000_000,
    maxConnections: 100_000,
    workers: 1,
    maxCpuPercent: null,
    filter: "",
  } satisfies Options);
});

test("options are read in every spelling", () => {
  const cases: readonly (readonly [string, Partial<Options>])[] = [
    ["-i eth0", { interface: "eth0" }],
    ["-S a.lua --script b.mjs", { scripts: ["a.lua", "b.mjs"] }],
    ["-ieth0", { interface: "eth0" }],
    ["-i=eth0", { interface: "eth0" }],
    ["--interface eth0", { interface: "eth0" }],
    ["--interface=eth0", { interface: "eth0" }],
    ["-nni eth0", { interface: "eth0" }],
    ["-n -nn -l -U", { filter: "" }],
    ["-nlUq", { quiet: true }],
    ["-r a.pcap", { read: "a.pcap", statsPort: 0, metricsPort: 0 }],
    ["-r -", { read: "-" }],
    ["-r a.pcap -P 33333", { statsPort: 33333, metricsPort: 0 }],
    ["-r a.pcap --metrics-port 1", { statsPort: 0, metricsPort: 1 }],
    [
      "-w a.pcap",
      { write: { file: "a.pcap", rotateBytes: null, rotateSeconds: null, fileCount: null, matchingBufferBytes: null } },
    ],
    [
      "-w a.pcap --write-matching -t 10 --dump-slow-buffer 2",
      {
        thresholdUs: 10_000,
        dumpSlow: null,
        write: {
          file: "a.pcap",
          rotateBytes: null,
          rotateSeconds: null,
          fileCount: null,
          matchingBufferBytes: 2 << 20,
        },
      },
    ],
    [
      "-w a -C 2 -G 60 -W 5",
      { write: { file: "a", rotateBytes: 2_000_000, rotateSeconds: 60, fileCount: 5, matchingBufferBytes: null } },
    ],
    ["-p redis", { protocols: [{ name: "redis", ports: [] }] }],
    ["-p redis:6380,6381", { protocols: [{ name: "redis", ports: [6380, 6381] }] }],
    [
      "-p redis -p memcached:1",
      {
        protocols: [
          { name: "redis", ports: [] },
          { name: "memcached", ports: [1] },
        ],
      },
    ],
    [
      "-p auto -p redis:7000",
      {
        protocols: [
          { name: "auto", ports: [] },
          { name: "redis", ports: [7000] },
        ],
      },
    ],
    ["-c 5", { count: 5 }],
    ["-p raw", { protocols: [{ name: "raw", ports: [] }], raw: { format: "line" } }],
    ["-p raw -A", { protocols: [{ name: "raw", ports: [] }], raw: { format: "ascii" } }],
    ["-nXp raw", { protocols: [{ name: "raw", ports: [] }], raw: { format: "hex" } }],
    ["--filter key", { condition: { expression: "key", place: "--filter" }, filter: "" }],
    ["--filter key tcp port 1", { condition: { expression: "key", place: "--filter" }, filter: "tcp port 1" }],
    ["-s 96", { snaplen: 96 }],
    ["-s96", { snaplen: 96 }],
    ["-s 0", { snaplen: 65535 }],
    ["-B 1024", { bufferKib: 1024 }],
    ["-P 0 --metrics-port 0", { statsPort: 0, metricsPort: 0 }],
    ["--stats-host ::1 --metrics-host 0.0.0.0", { statsHost: "::1", metricsHost: "0.0.0.0" }],
    ["--stats-host [::] --metrics-host fe80::1%eth0", { statsHost: "::", metricsHost: "fe80::1%eth0" }],
    ["--stats-host localhost", { statsHost: "127.0.0.1" }],
    [
      "--vlan --json --quiet --details --show-values",
      { vlan: true, json: true, quiet: true, details: true, showValues: true },
    ],
    ["--json --no-json", { json: false }],
    ["--json=false", { json: false }],
    ["--engine cap", { engine: "cap" }],
    ["--side server", { side: "server" }],
    ["--server 10.0.0.1:6379", { servers: [{ host: "10.0.0.1", port: 6379 }] }],
    ["--server [2001:DB8:0::1]:1", { servers: [{ host: "2001:db8::1", port: 1 }] }],
    ["--idle-timeout 1h --request-timeout 2m", { idleTimeoutUs: 3_600_000_000, requestTimeoutUs: 120_000_000 }],
    ["--max-connections 1", { maxConnections: 1 }],
    ["--max-cpu 20", { maxCpuPercent: 20 }],
    ["--max-cpu 150", { maxCpuPercent: 150 }],
  ];
  for (const [line, expected] of cases) {
    const actual = options(line);
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(actual[name as keyof Options], value, `${line}: ${name}`);
    }
  }
});

test("a time is whole microseconds; without a unit it is ms", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["10", 10_000],
    ["0", 0],
    ["0.5", 500],
    ["500us", 500],
    ["500µs", 500],
    ["1.5ms", 1500],
    ["1.001ms", 1001],
    ["2s", 2_000_000],
    ["1m", 60_000_000],
  ];
  for (const [text, us] of cases) assert.equal(options(["-t", text]).thresholdUs, us, text);
});

test("words that are no option are the filter, wherever they stand, unchanged", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["-i", "any", "tcp", "port", "6379", "-p", "redis", "-t", "10"], "tcp port 6379"],
    [["tcp", "-i", "any", "port", "-q", "6379"], "tcp port 6379"],
    [["tcp port 6379"], "tcp port 6379"],
    [["port", "06379", "or", "tcp[0:2]", "=", "0x18eb"], "port 06379 or tcp[0:2] = 0x18eb"],
    [["--json", "not", "port", "22"], "not port 22"],
    [["--", "-x", "tcp"], "-x tcp"],
    [["tcp[2]", "-", "1", "=", "-5"], "tcp[2] - 1 = -5"],
    [["doctor", "tcp"], "doctor tcp"],
  ];
  for (const [words, filter] of cases) assert.equal(options(words).filter, filter);
});

test("what asks for no capture is told apart", () => {
  const cases = { "-h": "help", "--help -i": "help", "-v": "version", "--version": "version", "-D": "list-interfaces" };
  for (const [line, kind] of Object.entries(cases)) {
    if (line === "--help -i") assert.match(refusal(line), /needs a value/);
    else assert.equal(parse(line).kind, kind, line);
  }
  const doctor = parse("doctor -i lo -P 44444");
  assert.ok(doctor.kind === "doctor");
  assert.equal(doctor.options.statsPort, 44444);
  assert.equal(doctor.options.filter, "");
});

test("--filter goes with -q where something else is told of transactions", () => {
  for (const other of ["-S a.lua", "--dump-slow d -t 1", "-w a --write-matching"]) {
    assert.equal(options(`-q --filter error ${other}`).condition?.expression, "error");
  }
});

test("what keeps frames in case they are wanted has a buffer of its own size", () => {
  const mebibyte = 1024 * 1024;
  assert.deepEqual(options("--dump-slow d -t 10").dumpSlow, { folder: "d", count: 100, bufferBytes: 64 * mebibyte });
  const small = options("--dump-slow d -t 10 --dump-slow-count 3 --dump-slow-buffer 2").dumpSlow;
  assert.deepEqual(small, { folder: "d", count: 3, bufferBytes: 2 * mebibyte });
  assert.equal(options("-w a --write-matching -t 1 --dump-slow-buffer 3").write?.matchingBufferBytes, 3 * mebibyte);
  assert.equal(options("-w a --no-write-matching").write?.matchingBufferBytes, null);
});

test("each bad input is refused in one line that names the remedy", () => {
  const cases: readonly (readonly [string | readonly string[], RegExp])[] = [
    ["--thresold 10", /unknown option --thresold: did you mean --threshold\? tcplat --help/],
    ["-Z", /unknown option -Z: tcplat --help/],
    ["-vlan", /unknown option -a \(in -vlan\)/],
    ["--__proto__ 1", /unknown option --__proto__/],
    ["--n", /unknown option --n:/],
    ["-i a -i b", /-i, --interface is given 2 times \(a, b\): give it once/],
    ["-t 1 --threshold 2", /given 2 times/],
    ["-t", /-t, --threshold needs a value: --threshold TIME/],
    ["-i -q", /-i, --interface needs a value/],
    [["-r", ""], /needs a value/],
    ["--json=maybe", /on or off .*--no-json/],
    ["-q=1", /-q takes no value/],
    ["-t abc", /--threshold abc: a time is a number with us, ms, s, m or h/],
    ["-t -5", /--threshold -5: a time is/],
    ["-t NaN", /a time is/],
    ["-t 1e3", /a time is/],
    ["-t Infinity", /a time is/],
    ["-t 10sec", /a time is/],
    ["-t 0.5us", /whole microseconds/],
    ["-t 9999999h", /at most a week/],
    [`-t ${"9".repeat(400)}`, /at most a week|whole microseconds/],
    [["-t", "1\n2"], /--threshold "1\\n2": a time is/],
    ["--idle-timeout 300", /it is 300ms and must be at least 1s/],
    ["--request-timeout 0", /at least 1ms/],
    ["-c 0", /--count 0: it must be a whole number from 1/],
    ["-c -1", /whole number/],
    ["-c 1.5", /whole number/],
    ["-c NaN", /whole number/],
    ["-c 99999999999999999999", /whole number/],
    ["-s 10", /--snaplen 10: it must be a whole number from 64 to 262144/],
    ["-B 4000000", /from 64 to 2097151/],
    ["-P 65536", /--stats-port 65536: .* from 0 to 65535/],
    ["-P 0x10", /whole number/],
    ["-P 13333", /cannot share port 13333: choose another --metrics-port/],
    ["--stats-host example.org", /must be an IPv4 or IPv6 address/],
    ["-p mysqll", /--protocol mysqll: no such protocol: the known ones are auto, redis, memcached and raw/],
    ["-p Redis", /no such protocol/],
    ["-p redis,memcached", /give --protocol once for each/],
    ["-p raw:6379", /raw takes no ports: name them in the filter, as in port 6379/],
    ["-p raw -p redis", /^-p raw prints packets and no transactions: give it by itself/],
    ["-A", /^-A shows what is in a packet: give -p raw, too/],
    ["-X -p redis", /^-X shows what is in a packet: give -p raw, too/],
    ["-p raw -AX", /^-A and -X show the same in two ways/],
    ["-p raw -q", /-q prints nothing/],
    ["-p raw --json", /^--json is about transactions, and -p raw has packets only/],
    ["-p raw -t 10", /^--threshold is about transactions/],
    ["-p raw --filter key", /^--filter is about transactions/],
    ["-p raw -o a.html", /^--report is about transactions/],
    ["-p raw --dump-slow d", /give -t, too|about transactions/i],
    ["-p auto:6379", /auto takes no ports: .*redis:6379/],
    ["-p redis:", /ports are whole numbers from 1 to 65535/],
    ["-p redis:0", /ports are whole/],
    ["-p redis:1,x", /ports are whole/],
    ["-p redis:70000", /ports are whole/],
    ["-p redis:1 -p memcached:1", /port 1 is already redis's/],
    ["--server localhost:6379", /an address and a port, .*names are not looked up/],
    ["--server ::1:6379", /\[2001:db8::1\]:6379/],
    ["--server 10.0.0.1", /an address and a port/],
    ["--server 10.0.0.1:0", /ports are whole numbers from 1 to 65535, as in 192\.168\.0\.2:6379$/],
    ["--server 10.0.0.999:1", /an address and a port/],
    ["--server 010.0.0.1:1", /an address and a port/],
    ["--server 10.0.0.1.:1", /an address and a port/],
    ["--server [1::2::3]:1", /an address and a port/],
    ["--server [fe80::1%eth0]:1", /an address and a port/],
    ["--server [10.0.0.1]:1", /an address and a port/],
    ["--stats-host 1.2.3", /must be an IPv4 or IPv6 address/],
    ["--engine ebpf", /--engine ebpf: it must be libpcap or cap/],
    ["--side left", /auto, client or server/],
    ["-S a.lua -S b.py", /^--script b\.py: a script's name ends in \.lua, \.mjs/],
    ["-r a.pcap -o -", /^--report -: standard output carries the transactions/],
    ["-r a.pcap -o ./a.pcap", /^--report \.\/a\.pcap: it is the file of --read, which it would overwrite/],
    ["-w a.pcap -o a.pcap", /the file of --write/],
    ["--dump-slow d", /^--dump-slow d: which requests are slow\? Give -t, too/],
    ["--dump-slow-count 5", /^--dump-slow-count 5: it bounds what --dump-slow writes/],
    ["--dump-slow-buffer 5", /^--dump-slow-buffer 5: it bounds what --dump-slow writes/],
    ["--dump-slow d -t 1 --dump-slow-count 0", /^--dump-slow-count 0: it must be a whole number from 1 to 10000/],
    ["--dump-slow d -t 1 --dump-slow-buffer 5000", /whole number from 1 to 4096/],
    ["--write-matching -t 1", /^--write-matching: it chooses what -w writes: give -w FILE, too/],
    ["--write-matching -w a", /^--write-matching: everything matches: give -t or --filter, too/],
    ["--write-matching -w a -t 1 --dump-slow-buffer 0", /^--dump-slow-buffer 0: it must be a whole number/],
    ["-q --filter error", /^--filter error: with -q there is nothing that it could choose from/],
    ["-C 5", /--rotate-size 5: it rotates the file of -w: give --write FILE/],
    ["-G 5", /give --write FILE/],
    ["-W 5", /give --write FILE/],
    ["-w a -W 5", /give one of them/],
    ["-w a -C 0", /whole number from 1/],
    ["-w -", /standard output carries the transactions/],
    ["-r a -w ./a", /overwrite the file that -r reads/],
    ["-r a -i lo", /-i captures and -r reads a file/],
    ["-r a --engine cap", /cannot read files/],
    ["--max-connections 0", /whole number from 1/],
    ["--max-cpu 0", /--max-cpu 0: it must be a whole number from 1/],
    ["--max-cpu 20%", /whole number from 1/],
    ["-r a --max-cpu 20", /--max-cpu 20: -r reads the whole file, whatever that costs: leave it out/],
    ["--log-level loud", /--log-level loud: it must be trace, debug/],
    ["--log-format xml", /text or json/],
    ["--config /nonexistent/a.yaml", /--config \/nonexistent\/a.yaml: there is no such file/],
  ];
  for (const [line, message] of cases) assert.match(refusal(line), message);
});

test("the log's level comes from the command line, then TCPLAT_LOG, then the file, then it is info", () => {
  const level = (line: string, env: Record<string, string> = {}): string => {
    const invocation = parse(line, env);
    assert.ok(invocation.kind === "run");
    return `${invocation.log.level} ${invocation.log.format}`;
  };
  const file = config("log-level: trace\nlog-format: json\n");
  assert.equal(level(""), "info text");
  assert.equal(level("", { TCPLAT_LOG: "" }), "info text");
  assert.equal(level(`--config ${file}`), "trace json");
  assert.equal(level(`--config ${file}`, { TCPLAT_LOG: "warn" }), "warn json");
  assert.equal(level(`--config ${file} --log-level error`, { TCPLAT_LOG: "warn" }), "error json");
  assert.match(refusal("", { TCPLAT_LOG: "loud" }), /^TCPLAT_LOG loud: it must be trace/);
});

test("every option of the table is in --help, with its default", async () => {
  const text = await helpText(100, ["redis", "memcached"]);
  for (const spec of OPTION_TABLE) {
    const dashes = spec.name.length === 1 ? "-" : "--";
    assert.match(text, new RegExp(`(^|[ ,])${dashes}${spec.name}\\b`, "m"), spec.name);
    if (spec.short !== "") assert.match(text, new RegExp(`(^|[ ,])-${spec.short}\\b`, "m"), spec.name);
    if (spec.preset !== "") assert.ok(text.includes(`[default: ${spec.preset}]`), `${spec.name}: ${spec.preset}`);
  }
  assert.match(text, /auto, redis, memcached,\s+raw/);
  assert.ok(Math.max(...text.split("\n").map((line) => line.length)) <= 100);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { checkLine, examine } from "../src/doctor/doctor.ts";
import { checkPermission, parsePrivileges } from "../src/doctor/permission.ts";
import { lookupPortHolder, parseSocketTable } from "../src/doctor/port-holder.ts";
import { checkPort, type EphemeralPorts, judgeFreePort, type WantedPort } from "../src/doctor/ports.ts";
import { checkNode, libpcapCommand } from "../src/doctor/system.ts";
import { TcplatError } from "../src/errors.ts";
import { parseCommandLine } from "../src/options/parse.ts";
import { captureObstacle } from "./support/live.ts";

const NO_RANGE: EphemeralPorts = { range: "", reserved: "" };

function optionsOf(...words: string[]) {
  const invocation = parseCommandLine(["doctor", ...words], {
    protocols: ["redis"],
    env: {},
    readConfig: () => new Map(),
  });
  assert.ok(invocation.kind === "doctor");
  return invocation.options;
}

async function listening(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test("a check is one line, and what it found cannot break it", () => {
  const check = { state: "problem", subject: "stats port", finding: "held by a\nb\x1b[0m", remedy: "stop it" } as const;
  assert.equal(checkLine(check), "problem  stats port: held by a\\x0ab\\x1b[0m → stop it\n");
  assert.equal(checkLine({ ...check, state: "ok", finding: "free", remedy: "" }), "ok       stats port: free\n");
});

test("Node is right from 20.19 on", () => {
  const cases = {
    "18.20.0": "problem",
    "20.18.9": "problem",
    "20.19.0": "ok",
    "20.20.2": "ok",
    "21.0.0": "ok",
    "22.0.0": "ok",
    "26.1.0": "ok",
  };
  for (const [version, state] of Object.entries(cases)) assert.equal(checkNode(version).state, state, version);
});

test("libpcap's command is this system's", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["linux", 'ID=debian\nVERSION_ID="12"\n', "sudo apt-get install libpcap0.8"],
    ["linux", "ID=ubuntu\nID_LIKE=debian\n", "sudo apt-get install libpcap0.8"],
    ["linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install libpcap"],
    ["linux", "ID=fedora\n", "sudo dnf install libpcap"],
    ["linux", "NAME=x\nID=alpine\n", "sudo apk add libpcap"],
    ["linux", "ID=arch\n", "sudo pacman -S libpcap"],
    ["linux", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "sudo zypper install libpcap1"],
    ["linux", "", "sudo apt-get install libpcap0.8"],
    ["darwin", "", "brew install libpcap"],
  ];
  for (const [platform, release, command] of cases) assert.equal(libpcapCommand(platform, release), command, release);
});

test("privileges are read from /proc/self/status: CAP_NET_RAW is bit 13", () => {
  const cases: readonly (readonly [string, boolean | undefined, boolean | undefined])[] = [
    ["CapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n", true, false],
    ["CapEff:\t0000000000002000\nNoNewPrivs:\t1\n", true, true],
    ["CapEff:\t0000000000001000\n", false, false],
    ["CapEff:\t0000000000000000\n", false, false],
    ["CapPrm:\t0000000000002000\n", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [status, hasNetRaw, isNoNewPrivileges] of cases) {
    const privileges = parsePrivileges(status);
    assert.equal(privileges?.hasNetRaw, hasNetRaw, status);
    assert.equal(privileges?.isNoNewPrivileges, isNoNewPrivileges, status);
  }
});

test("a capture that does not open is told with what mends it", () => {
  const denied = new TcplatError("permission", "no permission");
  const none = { hasNetRaw: false, isNoNewPrivileges: false };
  const cases = [
    [checkPermission("lo", { ...none, hasNetRaw: true }, null), "ok", /opens \(CAP_NET_RAW\)/, /^$/],
    [checkPermission("lo", none, denied), "problem", /missing/, /sudo setcap cap_net_raw\+ep .*sudo.*systemctl start/],
    [checkPermission("lo", { ...none, isNoNewPrivileges: true }, denied), "problem", /no_new_privs/, /^(?!.*setcap)/],
    [checkPermission("lo", { ...none, hasNetRaw: true }, denied), "problem", /container/, /--cap-add NET_RAW/],
    [checkPermission("en0", null, denied), "problem", /en0/, /sudo/],
    [checkPermission("x", none, new TcplatError("interface", "there is no x")), "problem", /x/, /there is no x/],
  ] as const;
  for (const [check, state, finding, remedy] of cases) {
    assert.equal(check.state, state);
    assert.match(check.finding, finding);
    assert.match(check.remedy, remedy);
  }
});

test("a free port that the kernel may give away is noted, with the setting that keeps it", () => {
  const wanted: WantedPort = { purpose: "stats", host: "127.0.0.1", port: 33333 };
  const cases: readonly (readonly [Partial<EphemeralPorts>, string, string])[] = [
    [{ range: "32768\t60999" }, "note", "33333"],
    [{ range: "32768\t60999", reserved: "8080,9148-9150" }, "note", "8080,9148-9150,33333"],
    [{ range: "32768\t60999", reserved: "33333" }, "ok", ""],
    [{ range: "32768\t60999", reserved: "1,33330-33340" }, "ok", ""],
    [{ range: "49152\t65535" }, "ok", ""],
    [{ range: "33333\t60999" }, "note", "33333"],
    [{ range: "1024\t33333" }, "note", "33333"],
    [{ range: "1024\t33332" }, "ok", ""],
    [{}, "ok", ""],
  ];
  for (const [change, state, ports] of cases) {
    const check = judgeFreePort("stats port", wanted, { ...NO_RANGE, ...change });
    assert.equal(check.state, state, JSON.stringify(change));
    assert.equal(check.remedy, ports === "" ? "" : `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${ports}`);
  }
});

test("a port that is held is a problem that names the holder and the option", async (t) => {
  const held = await listening();
  try {
    const check = await checkPort({ purpose: "metrics", host: "127.0.0.1", port: held.port }, NO_RANGE);
    assert.equal(check.state, "problem");
    assert.match(check.remedy, /--metrics-port/);
    if (process.platform !== "linux") return t.skip("who holds a port is known on Linux only");
    assert.match(check.finding, new RegExp(`is held by .* \\(pid ${process.pid}\\)$`));
    assert.match(lookupPortHolder(held.port), new RegExp(`\\(pid ${process.pid}\\)$`));
  } finally {
    held.close();
  }
  return undefined;
});

test("who holds a port is found in IPv6, too, and an outgoing connection is told from a listener", async (t) => {
  if (process.platform !== "linux") return t.skip("who holds a port is known on Linux only");
  const server = createServer().listen(0, "::1");
  const failure = await Promise.race([once(server, "listening").then(() => null), once(server, "error")]);
  if (failure !== null) return t.skip("there is no IPv6 here");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "::1");
  await once(client, "connect");
  try {
    assert.match(lookupPortHolder(port), new RegExp(`^(?!an outgoing).*\\(pid ${process.pid}\\)$`));
    const outgoing = lookupPortHolder(client.localPort ?? 0);
    assert.match(outgoing, new RegExp(`^an outgoing connection of .*\\(pid ${process.pid}\\)$`));
  } finally {
    client.destroy();
    server.close();
  }
  return undefined;
});

test("a port turned off, a free one, and an address of another host are told apart", async () => {
  const probe = await listening();
  probe.close();
  const free: WantedPort = { purpose: "stats", host: "127.0.0.1", port: probe.port };
  assert.match((await checkPort(free, NO_RANGE)).finding, /is free$/);
  assert.equal((await checkPort({ ...free, port: 0 }, NO_RANGE)).finding, "turned off");
  const foreign = await checkPort({ ...free, host: "192.0.2.1" }, NO_RANGE);
  assert.equal(foreign.state, "problem");
  assert.match(foreign.remedy, /--stats-host/);
});

test("the kernel's socket table is read by local port", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:8235 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0
   1: 0100007F:8236 0100007F:8235 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0
   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0
`;
  assert.deepEqual(parseSocketTable(table, 33333), [{ inode: "4242", isListening: true }]);
  assert.deepEqual(parseSocketTable(table, 33334), [{ inode: "4243", isListening: false }]);
  assert.deepEqual(parseSocketTable(table, 80), [{ inode: "4244", isListening: true }]);
  assert.deepEqual(parseSocketTable(table, 1), []);
});

test("the doctor finds this machine able to capture, line by line", async (t) => {
  const obstacle = captureObstacle();
  if (obstacle !== null) return t.skip(obstacle);
  const { text, exitStatus } = await examine(optionsOf("-i", "lo", "-P", "0", "--metrics-port", "0"));
  assert.equal(exitStatus, 0, text);
  assert.match(text, /^ok {7}engine libpcap: libpcap version [\d.]+/m);
  assert.match(text, /^ok {7}interfaces: lo is there, among .*\bany\b/m);
  assert.match(text, /^ok {7}permission: a capture on lo opens/m);
  assert.match(text, /^ok {7}stats port: turned off$/m);
  return undefined;
});

test("the doctor says where an interface is missing, and ends with status 1", async (t) => {
  const obstacle = captureObstacle();
  if (obstacle !== null) return t.skip(obstacle);
  const { text, exitStatus } = await examine(optionsOf("-i", "nosuch0", "-P", "0", "--metrics-port", "0"));
  assert.equal(exitStatus, 1, text);
  assert.match(text, /^problem {2}interfaces: there is no nosuch0 → choose one of .*\blo\b/m);
  return undefined;
});

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { after } from "node:test";
import { loadKoffi } from "../../src/capture/libpcap-binding.ts";
import { captureObstacle } from "./live.ts";
import { missingProgram } from "./servers.ts";

/** Names begin so, then the pid of the test that made them: what a killed one left is recognised by it. */
const PREFIX = "tcplat-test-";
const FOLDER = "/run/netns";
/** `sched.h`. */
const CLONE_NEWNET = 0x40000000;

/** Why tests in network namespaces must be skipped, or null. */
export function namespaceObstacle(...programs: readonly string[]): string | null {
  const obstacle = captureObstacle() ?? missingProgram("ip", "ethtool", ...programs);
  if (obstacle !== null) return obstacle;
  const probe = `${PREFIX}${process.pid}-probe`;
  const isMade = spawnSync("ip", ["netns", "add", probe], { stdio: "ignore" }).status === 0;
  spawnSync("ip", ["netns", "del", probe], { stdio: "ignore" });
  return isMade ? null : "network namespaces cannot be made here";
}

const made = new Set<string>();
after(removeNamespaces);
process.on("exit", removeNamespaces);

let setNamespace: ((descriptor: number, kind: number) => number) | null = null;
let homeDescriptor = -1;

/** Makes a network namespace with its loopback up; it is removed at the end of this file's tests, whatever happens. */
export function makeNamespace(role: string): string {
  if (made.size === 0) removeStale();
  const name = `${PREFIX}${process.pid}-${role}`;
  run("ip", "netns", "add", name);
  made.add(name);
  run("ip", "-n", name, "link", "set", "lo", "up");
  return name;
}

/** Removes every namespace of this process, and leaves the one it is in. */
function removeNamespaces(): void {
  leave();
  for (const name of made) removeNamespace(name);
  made.clear();
}

/** With whatever still runs in it: a test that failed, or was killed, leaves its servers there. */
function removeNamespace(name: string): void {
  const pids = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout.split("\n").map(Number);
  for (const pid of pids) if (pid > 1 && pid !== process.pid) kill(pid, "SIGKILL");
  spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
}

/**
 * Sockets made from here on live in this namespace, and programs started, too, unless they name another one (setns(2) moves
 * one thread, and Node makes its sockets on the main one).
 */
export function enter(namespace: string): void {
  homeDescriptor = homeDescriptor < 0 ? openSync("/proc/thread-self/ns/net", "r") : homeDescriptor;
  const descriptor = openSync(`${FOLDER}/${namespace}`, "r");
  moveTo(descriptor);
  closeSync(descriptor);
}

/** Back to where this process began. */
export function leave(): void {
  if (homeDescriptor >= 0) moveTo(homeDescriptor);
}

function moveTo(descriptor: number): void {
  setNamespace ??= loadKoffi().load(null).func("int setns(int, int)");
  if (setNamespace(descriptor, CLONE_NEWNET) !== 0) throw new Error("setns failed");
}

/** Runs a program to its end; throws what it said when it fails. */
function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${stderr}`);
}

/** Runs `ip` in a namespace. */
export function ipIn(namespace: string, ...words: readonly string[]): void {
  run("ip", "-n", namespace, ...words);
}

/** Two interfaces joined by a cable: a frame sent into one comes out of the other. */
export function connectNamespaces(a: string, aDevice: string, b: string, bDevice: string): void {
  ipIn(a, "link", "add", aDevice, "type", "veth", "peer", "name", bDevice, "netns", b);
  for (const [namespace, device] of [
    [a, aDevice],
    [b, bDevice],
  ] as const) {
    ipIn(namespace, "link", "set", device, "addrgenmode", "none");
    ipIn(namespace, "link", "set", device, "up");
  }
}

/** How many segments the kernel sent again here, of all connections; of a frame that joins several, each counts. */
export function sentAgainIn(namespace: string): number {
  const texts = spawnSync("ip", ["netns", "exec", namespace, "cat", "/proc/net/snmp"], { encoding: "utf8" }).stdout;
  const [names, values] = texts.split("\n").filter((line) => line.startsWith("Tcp:"));
  return Number(values!.split(" ")[names!.split(" ").indexOf("RetransSegs")]);
}

/** Frames on this interface are what a wire would carry: no larger than its MTU, checksums right. */
export function forbidOffloads(namespace: string, device: string): void {
  const features = ["tso", "gso", "gro", "tx", "sg"].flatMap((feature) => [feature, "off"]);
  run("ip", "netns", "exec", namespace, "ethtool", "-K", device, ...features);
}

/** Namespaces of a test that was killed. */
function removeStale(): void {
  let names: string[] = [];
  try {
    names = readdirSync(FOLDER).filter((name) => name.startsWith(PREFIX));
  } catch {
    // None was ever made here.
  }
  for (const name of names) {
    const pid = Number(name.slice(PREFIX.length).split("-")[0]);
    if (!kill(pid, 0)) removeNamespace(name);
  }
}

/** Sends a signal; false where no such process is. */
function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

// What tcplat and its tests need of the operating system: found, installed by apt where we are root, else told.
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure, hasProgram, run, say } from "./processes.mjs";

/**
 * One need: what it is, whether it is here, and its package under each package manager (null: there is none). Whatever runs as a
 * service once installed names it.
 */
const LIBPCAP = {
  name: "libpcap",
  isHere: hasLibpcap,
  packages: { apt: "libpcap-dev", dnf: "libpcap-devel", apk: "libpcap-dev", brew: "libpcap" },
};

/** Only the optional engine `cap` is compiled. */
const COMPILER = [
  {
    name: "libpcap's headers",
    isHere: () =>
      ["/usr/include", "/usr/local/include", "/opt/homebrew/include"].some((dir) => existsSync(`${dir}/pcap.h`)),
    packages: LIBPCAP.packages,
  },
  {
    name: "a C++ compiler",
    isHere: () => hasProgram("c++") || hasProgram("g++"),
    packages: { apt: "g++", dnf: "gcc-c++", apk: "g++", brew: "gcc" },
  },
  program("make", { apt: "make", dnf: "make", apk: "make", brew: "make" }),
  program("python3", { apt: "python3", dnf: "python3", apk: "python3", brew: "python3" }),
];

/** What tests start, or ask for its opinion; tests that miss theirs are skipped. */
const TESTS = [
  program("redis-server", { apt: "redis-server", dnf: "redis", apk: "redis", brew: "redis" }, "redis-server"),
  program("dnsmasq", { apt: "dnsmasq-base", dnf: "dnsmasq", apk: "dnsmasq", brew: "dnsmasq" }),
  program("kcat", { apt: "kcat", dnf: null, apk: "kcat", brew: "kcat" }),
  program("nginx", { apt: "nginx-light", dnf: "nginx", apk: "nginx", brew: "nginx" }, "nginx"),
  program("memcached", { apt: "memcached", dnf: "memcached", apk: "memcached", brew: "memcached" }, "memcached"),
  program("prometheus", { apt: "prometheus", dnf: null, apk: "prometheus", brew: "prometheus" }, "prometheus"),
  program("promtool", { apt: "prometheus", dnf: null, apk: "prometheus", brew: "prometheus" }),
  program("tcpdump", { apt: "tcpdump", dnf: "tcpdump", apk: "tcpdump", brew: "tcpdump" }),
  program("ip", { apt: "iproute2", dnf: "iproute", apk: "iproute2", brew: null }),
  program("ethtool", { apt: "ethtool", dnf: "ethtool", apk: "ethtool", brew: null }),
  program("systemd-analyze", { apt: "systemd", dnf: "systemd", apk: null, brew: null }),
];

/** A mirror that hiccups, or another apt that holds the lists' lock, for which apt does not wait: seconds before each further try. */
const APT_PAUSES = [5, 20];

const MANAGERS = [
  { name: "apt", program: "apt-get", install: "apt-get install -y" },
  { name: "dnf", program: "dnf", install: "dnf install -y" },
  { name: "apk", program: "apk", install: "apk add" },
  { name: "brew", program: "brew", install: "brew install" },
];

function program(name, packages, service) {
  return { name, isHere: () => hasProgram(name), packages, service };
}

/** libpcap itself: without it nothing can be captured, so this throws when it is missing and cannot be installed. */
export function needLibpcap() {
  if (provide([LIBPCAP]).length === 0) return;
  // One command for all that a first start can use.
  const missing = [LIBPCAP, ...COMPILER.filter((need) => !need.isHere())];
  throw failure(`tcplat: libpcap is missing. Type: ${installCommand(missing)}`);
}

/** What compiles `cap`. Not having it costs only that engine. */
export function wantCompiler() {
  const missing = provide(COMPILER);
  if (missing.length === 0) return;
  say(`without ${names(missing)} the optional engine cap is not built; the default engine needs no compiler.`);
  say(`To have it, type: ${installCommand(missing)} && npm ci`);
}

/** What the tests need, libpcap included. Whatever stays missing is named, and its tests are skipped. */
export function wantTestPrograms() {
  const missing = provide([LIBPCAP, ...TESTS]);
  if (missing.length === 0) return;
  say(`tests that need ${names(missing)} will be skipped. To run them too, type: ${installCommand(missing)}`);
}

/** Installs what is missing, where we may; returns what is missing still. */
function provide(needs) {
  const missing = needs.filter((need) => !need.isHere());
  const isDebianRoot = hasProgram("apt-get") && process.getuid?.() === 0;
  if (missing.length === 0 || !isDebianRoot) return missing;
  say(`installing ${packagesOf(missing, "apt").join(" ")} by apt for want of ${names(missing)}`);
  installByApt(missing);
  return missing.filter((need) => !need.isHere());
}

function installByApt(needs) {
  const quietly = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const services = needs.flatMap((need) => need.service ?? []);
  const release = holdServicesBack();
  try {
    const options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
    const install = () => {
      run("apt-get", ["-qq", "update"], quietly);
      return run("apt-get", ["install", ...options, ...packagesOf(needs, "apt")], quietly);
    };
    let isInstalled = install();
    for (const seconds of APT_PAUSES) {
      if (isInstalled) break;
      say(`apt failed, in its own words above: once more in ${seconds} s`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
      isInstalled = install();
    }
    if (!isInstalled) say("apt could not install them (no network?); its own words are above.");
    // Nor shall they come up at the next boot: the tests start servers of their own, on free ports.
    if (isInstalled && services.length > 0 && hasProgram("systemctl"))
      run("systemctl", ["--quiet", "disable", ...services]);
  } finally {
    release();
  }
}

/**
 * Debian starts a service as soon as its package is installed, unless /usr/sbin/policy-rc.d answers 101. Ours answers so as long as this
 * process lives (should it be killed and the file stay behind, it permits everything), and is removed afterwards. The machine's
 * own policy, if there is one (container images have it), is left alone.
 */
function holdServicesBack() {
  const file = "/usr/sbin/policy-rc.d";
  if (existsSync(file)) return () => {};
  const isOurs = `tr '\\0' ' ' </proc/${process.pid}/cmdline 2>/dev/null | grep -q scripts/run.mjs`;
  writeFileSync(
    file,
    `#!/bin/sh\n# Written by tcplat's npm test for the time of an apt-get install; remove it.\n${isOurs} && exit 101\nexit 0\n`,
    {
      mode: 0o755,
    },
  );
  // A Ctrl-C reaches apt by itself; we stay, to clean up behind it.
  const stay = () => {};
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stay);
  return () => {
    rmSync(file, { force: true });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, stay);
  };
}

function packagesOf(needs, manager) {
  return [...new Set(needs.map((need) => need.packages[manager]).filter((name) => name !== null))];
}

/** The one command that brings them, for whichever package manager is here. */
function installCommand(needs) {
  const manager = MANAGERS.find((candidate) => hasProgram(candidate.program));
  if (manager === undefined) return `your package manager's command to install ${names(needs)}`;
  const packages = packagesOf(needs, manager.name);
  if (packages.length === 0) return `(${manager.name} has no package for ${names(needs)})`;
  const sudo = manager.name === "brew" || process.getuid?.() === 0 ? "" : "sudo ";
  const update = manager.name === "apt" ? `${sudo}apt-get update && ` : "";
  return `${update}${sudo}${manager.install} ${packages.join(" ")}`;
}

function names(needs) {
  return needs.map((need) => need.name).join(", ");
}

/** The sonames are Debian's and everyone else's; macOS keeps its libpcap out of the file system. */
function hasLibpcap() {
  if (process.platform === "darwin") return true;
  const libraries = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/local/lib64"];
  const triplets = ["/usr/lib", "/lib"].flatMap((dir) =>
    list(dir)
      .filter(isTriplet)
      .map((name) => join(dir, name)),
  );
  return [...libraries, ...triplets].some((dir) => list(dir).some((name) => /^libpcap\.so\.(0\.8|1)$/.test(name)));
}

function isTriplet(name) {
  return name.includes("-linux-");
}

function list(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

import { readFileSync } from "node:fs";
import { type Check, ok, problem } from "./check.ts";

/** The oldest Node that package.json's `engines` allows. */
const OLDEST_NODE = [20, 19] as const;

/** Whether this Node is new enough. `version` as in process.versions.node. */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOldEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isOldEnough) return ok("node", `v${version}`);
  return problem(
    "node",
    `v${version} is too old`,
    `install Node ${OLDEST_NODE.join(".")} or newer from https://nodejs.org`,
  );
}

/** The command that installs libpcap. `osRelease` is the text of /etc/os-release, "" where there is none. */
export function libpcapCommand(platform: string, osRelease: string): string {
  if (platform === "darwin") return "brew install libpcap";
  const family = /^ID(?:_LIKE)?=.*$/gm;
  const ids = (osRelease.match(family) ?? []).join(" ");
  if (/alpine/.test(ids)) return "sudo apk add libpcap";
  if (/fedora|rhel|centos|amzn/.test(ids)) return "sudo dnf install libpcap";
  if (/suse/.test(ids)) return "sudo zypper install libpcap1";
  if (/arch/.test(ids)) return "sudo pacman -S libpcap";
  return "sudo apt-get install libpcap0.8";
}

/** The text of a file, "" where it cannot be read. */
export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

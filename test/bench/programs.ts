import { spawnSync } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missingProgram } from "../support/servers.ts";
import { type Command, Running, sleep } from "./measure.ts";
import { Skipped } from "./rows.ts";

const CLI = fileURLToPath(new URL("../../bin/cli.js", import.meta.url));

/** Words that keep both ports closed. */
export const NO_PORTS: readonly string[] = ["-P", "0", "--metrics-port", "0"];

/** What a program needs of a buffer before it can say that it captures, or to be given what it has not read yet. */
export const SETTLE_MS = 1000;

/** tcplat as built, and started as a user's shell starts it. */
export function tcplat(...words: readonly string[]): Command {
  return [CLI, ...words];
}

/** tcpkit, where TCPKIT names its binary. Its `-t` is in ms: 100000 prints nothing. */
export function tcpkit(): string | null {
  const path = process.env.TCPKIT ?? "";
  if (path === "") return null;
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return null;
  }
}

export const NO_TCPKIT = "no tcpkit (TCPKIT=PATH names one)";

/** Ends a bench that cannot do without these. */
export function need(...programs: readonly string[]): void {
  const missing = missingProgram(...programs);
  if (missing !== null) throw new Skipped(missing);
}

/** Ends a bench that captures live where that is not permitted. */
export function needCapture(...programs: readonly string[]): void {
  if (process.platform !== "linux") throw new Skipped("needs Linux");
  if (process.getuid?.() !== 0) throw new Skipped("needs root (CAP_NET_RAW)");
  need(...programs);
}

/** Starts a capture and resolves once it captures: tcplat and tcpdump say so, tcpkit is given time. */
export async function capturing(command: Command): Promise<Running> {
  const running = new Running(command);
  const isSilent = command.includes(tcpkit() ?? "tcpkit");
  const says = () => /capturing on .*\n|listening on .*\n/.test(running.stderr);
  const deadline = performance.now() + 20_000;
  while (!(isSilent ? hasPacketSocket(running.pid) : says()) && !running.hasEnded && performance.now() < deadline) {
    await sleep(2);
  }
  await sleep(SETTLE_MS);
  if (running.hasEnded || performance.now() > deadline) {
    throw new Error(`${command.join(" ")} does not capture: ${running.stdout}${running.stderr}`);
  }
  return running;
}

/** Whether one of its descriptors is a packet socket (`packet(7)`; the inode is the last word of a line). */
function hasPacketSocket(pid: number): boolean {
  try {
    const inodes = readFileSync(`/proc/${pid}/net/packet`, "latin1").match(/\d+$/gm) ?? [];
    const sockets = inodes.map((inode) => `socket:[${inode}]`);
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    // It has just closed one, or ended.
    return false;
  }
}

/** The versions of those who are measured, as far as they are here. */
export function versions(): string {
  const of = (program: string, flag: string, pattern: RegExp): string[] => {
    const { stdout, stderr, error } = spawnSync(program, [flag], { encoding: "utf8" });
    const version = error === undefined ? pattern.exec(`${stdout}${stderr}`)?.[1] : undefined;
    return version === undefined ? [] : [`${program} ${version}`];
  };
  const kit = tcpkit();
  return [
    ...of("tcpdump", "--version", /version ([\d.]+)/),
    ...of("redis-server", "--version", /v=([\d.]+)/),
    ...of("tcpreplay", "--version", /version: ([\d.]+)/),
    ...of("tshark", "--version", /([\d.]+\d)/),
    ...(kit === null ? [] : of(kit, "-h", /version: ([\d.]+)/).map((text) => text.replace(kit, "tcpkit"))),
  ].join(", ");
}

// How the scripts run other programs.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. Everything runs with this as its working directory, so that it may be called from anywhere. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Two signals closer than this are one: the terminal's (or that of `timeout`), and npm's copy of it. */
const SAME_SIGNAL_MS = 300;

/** An error whose message is all that the user needs to read. */
export function failure(message) {
  return Object.assign(new Error(message), { isForTheUser: true });
}

/** Says something about the set-up. On stderr: stdout belongs to the program's data. */
export function say(message) {
  process.stderr.write(`tcplat: ${message}\n`);
}

/** Whether a program of this name is on the PATH, or where root's programs are (a user's PATH often lacks those). */
export function hasProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end, its output on stderr, and tells whether it succeeded. */
export function run(program, args, env = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...env },
  });
  return result.status === 0;
}

/**
 * Runs a Node program in our place: its input and output are ours, it gets each signal once, its exit status is returned.
 *
 * On Ctrl-C the terminal signals every process of its group, and npm then passes the signal on as well; to a daemon whose
 * second SIGINT means "at once" that would be no orderly end. So the program gets a session of its own, which
 * the terminal does not signal, and all signals come from here.
 */
export function runInOurPlace(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit", detached: true });
  passSignalsTo(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (status, signal) => {
      if (signal !== null) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
      resolve(status ?? 1);
    });
  });
}

function passSignalsTo(child) {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    let lastAt = Number.NEGATIVE_INFINITY;
    process.on(signal, () => {
      const isCopy = performance.now() - lastAt < SAME_SIGNAL_MS;
      lastAt = performance.now();
      if (!isCopy) child.kill(signal);
    });
  }
  process.on("SIGUSR1", () => child.kill("SIGUSR1"));
  // A terminal that is closed hangs up, and then the program must end; sent by hand, SIGHUP means "reopen files".
  process.on("SIGHUP", () => child.kill(process.stderr.isTTY ? "SIGTERM" : "SIGHUP"));
  // Ctrl-Z and fg.
  process.on("SIGTSTP", () => {
    child.kill("SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  });
  process.on("SIGCONT", () => child.kill("SIGCONT"));
}

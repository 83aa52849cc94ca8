import { closeSync, fstatSync, openSync } from "node:fs";
import { isatty } from "node:tty";

/** Standard input, output and error. */
const DESCRIPTORS = [0, 1, 2];

/**
 * SIGHUP also says that the terminal is gone: its window was closed, the connection to this host broke. Returns what tells whether
 * that is so; call this while the terminal is there. Where neither output is one, it never is.
 */
export function watchTerminal(): () => boolean {
  const terminals = DESCRIPTORS.slice(1).filter((descriptor) => isatty(descriptor));
  return () => terminals.some((descriptor) => !isatty(descriptor));
}

/**
 * At the very end, puts the null device where a terminal was that is gone: Node 20 restores the terminal that it was started on, and
 * aborts where it cannot; and koffi, in a process without a standard error, never ends.
 */
export function replaceLostTerminal(): void {
  for (const descriptor of DESCRIPTORS) {
    try {
      if (!fstatSync(descriptor).isCharacterDevice() || isatty(descriptor)) continue;
      closeSync(descriptor);
      // It gets the lowest number that is free: this one.
      openSync("/dev/null", "r+");
    } catch {
      // Closed before: nothing is restored.
    }
  }
}

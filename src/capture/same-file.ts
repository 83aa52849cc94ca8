import { fstatSync, type Stats, statSync } from "node:fs";

const STDIN = 0;

/** Whether two names, `-` being standard input, lead to one regular file: a link has another name and the same bytes. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [statOf(one), statOf(other)];
  return a?.isFile() === true && b?.isFile() === true && a.dev === b.dev && a.ino === b.ino;
}

function statOf(name: string): Stats | null {
  try {
    return name === "-" ? fstatSync(STDIN) : statSync(name);
  } catch {
    return null;
  }
}

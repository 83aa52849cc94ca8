import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TcplatError } from "../src/errors.ts";
import { findByName, findByShort } from "../src/options/table.ts";
import { readWords } from "../src/options/words.ts";

/** The rows of a file's table whose heading is this, cells without blanks. */
function rows(file: string, heading: string): string[][] {
  const lines = readFileSync(join(process.cwd(), file), "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  assert.ok(first > 0, `${file} has no table of ${heading}`);
  const end = lines.findIndex((line, at) => at > first && !line.startsWith("|"));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The options named in a cell: `-C size`, `-G seconds` are -C and -G. */
function optionsIn(cell: string): string[] {
  return [...cell.matchAll(/`(--?[\w#-]+)[^`]*`/g)].map(([, option = ""]) => option);
}

function isKnown(option: string): boolean {
  if (option.startsWith("--")) return findByName(option.slice(2)) !== undefined;
  return [...option.slice(1)].every((letter) => findByShort(letter) !== undefined);
}

/** Options that -h of tcpkit and of tcpdump 4.99 list. */
const TCPKIT = "h i r A B s S t w p P v";
const TCPDUMP = "A b d D e f h H I J K L n O p q S t u U v x X # B c C E F G i j M Q r s T V w W y z Z l m N";

for (const [file, heading, letters] of [
  ["README.md", "tcpkit", TCPKIT],
  ["native-notes/tcpdump.md", "tcpdump", TCPDUMP],
] as const) {
  describe(`the table of ${heading}'s options`, () => {
    const table = rows(file, heading);

    test("has each of them", () => {
      const named = table.flatMap(([theirs = ""]) => optionsIn(theirs));
      assert.deepEqual(
        letters
          .split(" ")
          .filter((letter) => !named.some((option) => !option.startsWith("--") && option.includes(letter))),
        [],
      );
    });

    for (const [theirs = "", ours = ""] of table) {
      test(`tells the truth of ${theirs}`, () => {
        for (const option of optionsIn(ours)) assert.ok(isKnown(option), `there is no ${option}`);
        if (ours !== "refused") return;
        for (const option of optionsIn(theirs)) {
          // Several of a letter that is known are several times that option.
          assert.throws(
            () => readWords([option, "x"]),
            (error) => error instanceof TcplatError && error.code === "usage",
            option,
          );
        }
      });
    }
  });
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it, test } from "node:test";
import { manPage } from "../src/man/page.ts";
import { COMMANDS } from "../src/options/commands.ts";
import { OPTION_TABLE } from "../src/options/table.ts";
import { PROTOCOLS } from "../src/protocols/registry.ts";
import { missingProgram, temporaryFolder } from "./support/servers.ts";
import { CLI, runTcplat } from "./support/tcplat.ts";
import { Terminal } from "./support/terminal.ts";
import { until } from "./support/until.ts";

const { folder, remove } = temporaryFolder();
after(remove);
const NAMES = PROTOCOLS.map(({ name }) => name);
const LONG = OPTION_TABLE.filter(({ name }) => name.length > 1).map(({ name }) => `--${name}`);
const SHORT = OPTION_TABLE.filter(({ short }) => short !== "").map(({ short }) => `-${short}`);
writeFileSync(join(folder, "capture one.pcap"), "");

/** What `tcplat completion SHELL` prints, in a file. */
function scriptOf(shell: string): string {
  const { stdout, status } = spawnSync(process.execPath, [CLI, "completion", shell], { encoding: "utf8" });
  assert.equal(status, 0);
  const path = join(folder, `tcplat.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

/** What bash offers for the last of these words. */
function offeredByBash(path: string, ...words: readonly string[]): string[] {
  const program = `source "$1"; shift; COMP_WORDS=(tcplat "$@"); COMP_CWORD=$#; _tcplat; printf "%s\\n" "\${COMPREPLY[@]}" | grep .`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program, "bash", path, ...words], {
    encoding: "utf8",
    cwd: folder,
  });
  assert.equal(stderr, "");
  return stdout.split("\n").slice(0, -1).sort();
}

/** What fish offers at the end of this line. */
function offeredByFish(path: string, line: string): string[] {
  const program = "source $argv[1]; complete -C $argv[2]";
  const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", program, path, line], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
  assert.equal(stderr, "");
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((each) => each.replace(/\t.*/, ""))
    .sort();
}

/** Words before the cursor, and what is to be offered. */
const OFFERS: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["--engi"], ["--engine"]],
  [
    ["--engine", ""],
    ["cap", "libpcap"],
  ],
  [["-p", "mem"], ["memcached"]],
  [["-p", "ra"], ["raw"]],
  [["--log-level", "de"], ["debug"]],
  [
    ["--side", ""],
    ["auto", "client", "server"],
  ],
  [["-i", "an"], ["any"]],
  [["-r", "cap"], ["capture one.pcap"]],
  [["ex"], ["explain"]],
  [
    ["completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["-P", ""], []],
];

describe("in bash", { skip: missingProgram("bash") ?? false }, () => {
  it("every option is completed, short and long", () => {
    const path = scriptOf("bash");
    assert.deepEqual(offeredByBash(path, "--"), LONG.toSorted());
    assert.deepEqual(offeredByBash(path, "-"), [...SHORT, ...LONG].sort());
  });

  it("what can stand behind an option is, and the commands", () => {
    const path = scriptOf("bash");
    for (const [words, offered] of OFFERS) assert.deepEqual(offeredByBash(path, ...words), offered, words.join(" "));
    assert.deepEqual(offeredByBash(path, "--engine", "=", "li"), ["libpcap"]);
    assert.deepEqual(offeredByBash(path, "--engine", "="), ["cap", "libpcap"]);
    assert.deepEqual(offeredByBash(path, "tcp", "po"), []);
    assert.deepEqual(
      offeredByBash(path, ""),
      COMMANDS.map(({ name }) => name)
        .filter((name) => name !== "")
        .sort(),
    );
  });
});

describe("in fish", { skip: missingProgram("fish") ?? false }, () => {
  it("every option is completed", () => {
    const path = scriptOf("fish");
    assert.deepEqual(offeredByFish(path, "tcplat --"), LONG.toSorted());
    const short = offeredByFish(path, "tcplat -").filter((name) => !name.startsWith("--"));
    assert.deepEqual(short, SHORT.toSorted());
  });

  it("what can stand behind an option is, and the commands", () => {
    const path = scriptOf("fish");
    // Of a port anything may be typed, and fish then offers files: nothing of ours.
    for (const [words, offered] of OFFERS.filter(([, { length }]) => length > 0)) {
      const found = offeredByFish(path, `tcplat ${words.join(" ")}`).map((name) => name.replace("\\ ", " "));
      assert.deepEqual(found, offered, words.join(" "));
    }
  });
});

describe("in zsh", { skip: missingProgram("zsh") ?? missingProgram("script") ?? false }, () => {
  it("a tabulator completes options, their values and the commands", async () => {
    const path = scriptOf("zsh");
    const terminal = new Terminal("zsh -f -i", { HOME: folder });
    terminal.type(`cd '${folder}'; autoload -U compinit; compinit -u -D; source '${path}'; echo read''y\n`);
    await until("zsh has read the script", () => /^ready\r?$/m.test(terminal.shown));
    for (const [line, completed] of [
      ["tcplat --engi", "tcplat --engine="],
      ["tcplat --rotate-si", "tcplat --rotate-size="],
      ["tcplat -p mem", "tcplat -p memcached "],
      ["tcplat --log-level deb", "tcplat --log-level debug "],
      ["tcplat -i an", "tcplat -i any "],
      ["tcplat -r capt", "tcplat -r capture\\ one.pcap "],
      ["tcplat expl", "tcplat explain "],
      ["tcplat completion fi", "tcplat completion fish "],
    ] as const) {
      const before = terminal.shown.length;
      terminal.type(`${line}\t`);
      await until(
        `zsh makes ${completed} of ${line}, and shows ${JSON.stringify(terminal.shown.slice(before))}`,
        () => terminal.shown.slice(before).includes(completed),
        20_000,
      );
      terminal.type("\x15");
    }
    terminal.type("exit\n");
    await terminal.ended();
  });

  it("every option is in the script", () => {
    const script = readFileSync(scriptOf("zsh"), "utf8");
    for (const name of [...LONG, ...SHORT]) assert.match(script, new RegExp(`[{,' ]${name}(?=[=+,})[' ])`), name);
  });
});

test("completion takes a shell's name and nothing else", async () => {
  for (const words of [
    ["completion"],
    ["completion", "tcsh"],
    ["completion", "bash", "zsh"],
    ["completion", "bash", "-q"],
  ]) {
    const run = await runTcplat(words);
    assert.equal(run.status, 2);
    assert.equal(run.stderr, "tcplat: completion takes the name of a shell and nothing else: bash, zsh or fish\n");
  }
});

describe("the manual page", () => {
  const page = readFileSync(join(process.cwd(), "man/tcplat.1"), "utf8");

  it("is what the table says", () => {
    assert.equal(page, manPage(NAMES), "npm run build makes it anew: commit man/tcplat.1");
  });

  it("has every option of --help, in its order", async () => {
    const help = await runTcplat(["--help"]);
    const named = [...help.stdout.matchAll(/^ +(?:(-\w), )?(--?[\w-]+) {2}/gm)].map(([, short, name]) => [short, name]);
    const items = page.split(".SH OPTIONS")[1]!.split(".SH ")[0]!.split(".TP\n").slice(1);
    const inPage = items.map((item) => {
      const names = [...item.split("\n")[0]!.matchAll(/\\fB(.*?)\\fR/g)].map(([, name = ""]) =>
        name.replaceAll("\\-", "-"),
      );
      return [names.at(-2), names.at(-1)];
    });
    assert.deepEqual(inPage, named);
    assert.equal(inPage.length, OPTION_TABLE.length);
  });

  it("is one that mandoc has nothing against", (t) => {
    const missing = missingProgram("mandoc");
    if (missing !== null) return t.skip(missing);
    const { stdout, stderr } = spawnSync("mandoc", ["-T", "lint", "man/tcplat.1"], { encoding: "utf8" });
    const faults = `${stdout}${stderr}`
      .split("\n")
      .filter((line) => line !== "" && !/missing date|operating system/.test(line));
    assert.deepEqual(faults, []);
  });

  it("is one that man shows, with what users must type in it", (t) => {
    const missing = missingProgram("man");
    if (missing !== null) return t.skip(missing);
    const { stdout, status } = spawnSync("man", ["-l", "man/tcplat.1"], {
      encoding: "utf8",
      env: { ...process.env, MANPAGER: "cat", MANWIDTH: "500", LC_ALL: "C.UTF-8" },
    });
    assert.equal(status, 0);
    // Bold is the same character twice, with a step back between.
    const plain = stdout.split("\b").map((part, index, all) => (index < all.length - 1 ? part.slice(0, -1) : part));
    const shown = plain.join("").replace(/ {2,}/g, " ");
    assert.match(shown, /tcplat diff CLIENT SERVER \[options\] \[filter expression\]/);
    assert.match(shown, /latency > 5ms and key =~ "\^user:" and not error/);
    assert.match(shown, /-p, --protocol NAME\[:PORT,\.\.\.\]/);
  });
});

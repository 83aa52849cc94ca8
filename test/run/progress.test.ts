import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it, test } from "node:test";
import { progressLine } from "../../src/run/progress.ts";
import { StatusLine } from "../../src/run/status-line.ts";
import { pcapFile, udpFrame } from "../support/pcap-file.ts";
import { missingProgram, temporaryFolder } from "../support/servers.ts";
import { CLI } from "../support/tcplat.ts";
import { Terminal } from "../support/terminal.ts";

const { folder, remove } = temporaryFolder();
after(remove);
const frame = { seconds: 1_600_000_000, nanoseconds: 0, bytes: udpFrame(1, 2, "x".repeat(1400)) };

function frames(count: number): Buffer {
  return pcapFile(Array.from({ length: count }, () => frame));
}

/** Long enough to be read for a while: hexadecimal rows of it are much to print. */
const FILE = join(folder, "large.pcap");
const FRAMES = 40_000;
writeFileSync(FILE, frames(FRAMES));
/** The same where each row goes through a terminal. */
const SHOWN_FILE = join(folder, "shown.pcap");
const SHOWN_FRAMES = 6000;
writeFileSync(SHOWN_FILE, frames(SHOWN_FRAMES));

const BASE = { path: "a.pcap", bytes: 280e6, bytesRead: 70e6, frames: 3_000_000, seconds: 2 };
const LINES = [
  [{}, "25 % of 280.0 MB, 1,500,000 frames/s, 6 s left: a.pcap"],
  [{ seconds: 60 }, "25 % of 280.0 MB, 50,000 frames/s, 3 min 0 s left: a.pcap"],
  [{ bytesRead: 0 }, "0 % of 280.0 MB, 1,500,000 frames/s: a.pcap"],
  [{ bytesRead: 300e6 }, "100 % of 280.0 MB, 1,500,000 frames/s, 0 s left: a.pcap"],
  [{ bytesRead: null }, "3,000,000 frames, 1,500,000 frames/s: a.pcap"],
  [{ bytes: null, path: "-" }, "3,000,000 frames, 1,500,000 frames/s: -"],
  [{ path: "\x1b[2Jä.pcap" }, "25 % of 280.0 MB, 1,500,000 frames/s, 6 s left: \\x1b[2J?.pcap"],
] as const;

for (const [changes, line] of LINES) {
  test(`progress reads ${line}`, () => assert.equal(progressLine({ ...BASE, ...changes }), line));
}

test("a status line is written over, and what stays is written above it", () => {
  let written = "";
  const status = new StatusLine((text) => {
    written += text;
  });
  status.show("");
  status.show("abc");
  status.show("x");
  status.above("stays\n");
  status.show("");
  assert.deepEqual(written.split("\r"), ["", "abc", "", "x  ", "", " ", "stays\n", "x", "", " ", ""]);
});

describe("-r on a terminal", { skip: missingProgram("script") ?? false }, () => {
  const run = async (file: string, words: string) => {
    const terminal = new Terminal(`'${process.execPath}' '${CLI}' -r '${file}' ${words}`);
    const status = await terminal.ended();
    return { status, shown: terminal.shown };
  };

  it("shows how far it is, and erases that at the end", async () => {
    const { status, shown } = await run(FILE, "-p raw -X > /dev/null");
    assert.equal(status, 0);
    const lines = [...shown.matchAll(/\r(\d+) % of 58\.3 MB, [\d,]+ frames\/s(?:, \d+ s left)?: [^\r]*\r/g)];
    assert.ok(lines.length > 0, shown);
    const shares = lines.map(([, share]) => Number(share));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
    // What is left on the last line is blanks, then the summary's first word.
    assert.match(shown, /\r +\rframes {6}40000 on /);
  });

  it("shows nothing where records go to the same terminal", async () => {
    const { status, shown } = await run(SHOWN_FILE, "-p raw -X");
    assert.equal(status, 0);
    assert.match(shown, /UDP, length 1400/);
    assert.doesNotMatch(shown, /frames\/s/);
  });

  it("keeps what it says whole", async () => {
    const cut = join(folder, "cut.pcap");
    writeFileSync(cut, frames(FRAMES).subarray(0, -5));
    const terminal = new Terminal(`'${process.execPath}' '${CLI}' -r '${cut}' -p raw -X --workers 2 > /dev/null`);
    assert.equal(await terminal.ended(), 0);
    for (const line of [
      /^tcplat: reading .*cut\.pcap/m,
      /^tcplat: one worker: /m,
      /^tcplat: .* ends in the middle of a frame/m,
    ]) {
      assert.match(terminal.shown.replaceAll("\r", "\n"), line);
    }
  });
});

test("into a pipe or a file no progress is written", () => {
  const { stderr, status } = spawnSync(
    "sh",
    ["-c", `'${process.execPath}' '${CLI}' -r '${FILE}' -p raw -X > /dev/null`],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 0);
  assert.doesNotMatch(stderr, /\r|frames\/s/);
});

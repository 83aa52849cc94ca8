import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TcplatError } from "../../src/errors.ts";
import { DumpFolder, dumpName } from "../../src/evidence/dump-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-dump-"));
after(() => rmSync(folder, { recursive: true }));
let folders = 0;
const fresh = (): string => join(folder, `${++folders}`, "deep");

/** The name of a request that took so many ms. */
function nameOf(ms: number, requestNumber = 1): string {
  return dumpName({ endUs: 1_583_695_386_258_761, latencyUs: ms * 1000, connectionId: 17, requestNumber });
}

test("a name tells when, how slow, and which", () => {
  const of = { latencyUs: 203_400, connectionId: 17, requestNumber: 204 };
  assert.equal(dumpName({ ...of, endUs: 1_583_695_386_258_761 }), "2020-03-08T192306.258761Z_203.400ms_17-204.pcap");
  assert.equal(dumpName({ ...of, endUs: 1_583_695_386_000_001 }), "2020-03-08T192306.000001Z_203.400ms_17-204.pcap");
});

test("the folder is made for its owner, and so are the files, whatever the umask", async () => {
  const umask = process.umask(0);
  try {
    const path = fresh();
    await new DumpFolder(path, 3).open().write(nameOf(5), 5000, [Buffer.from("head"), Buffer.from("tail")]);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(path), [nameOf(5)]);
    assert.equal(statSync(join(path, nameOf(5))).mode & 0o777, 0o600);
    assert.equal(readFileSync(join(path, nameOf(5)), "latin1"), "headtail");
  } finally {
    process.umask(umask);
  }
});

test("of an earlier run's files the slower one stays by its µs, and a folder with such a name is left alone", async () => {
  const path = fresh();
  mkdirSync(path, { recursive: true });
  const files = [nameOf(5.001, 1), nameOf(5.003, 2)];
  for (const name of files) writeFileSync(join(path, name), "before");
  mkdirSync(join(path, nameOf(1, 3)));
  const dumps = new DumpFolder(path, 2).open();
  assert.deepEqual([dumps.wants(5001), dumps.wants(5002)], [false, true]);
  await dumps.write(nameOf(5.002, 4), 5002, [Buffer.from("new")]);
  assert.deepEqual(readdirSync(path).sort(), [nameOf(1, 3), nameOf(5.002, 4), nameOf(5.003, 2)].sort());
});

test("the slowest stay, those of an earlier run among them; what is not ours stays, too", async () => {
  const path = fresh();
  mkdirSync(path, { recursive: true });
  for (const name of [nameOf(10, 1), nameOf(2, 2), nameOf(1, 3), "notes.txt"])
    writeFileSync(join(path, name), "before");
  const dumps = new DumpFolder(path, 2).open();
  assert.deepEqual(
    [1, 2, 3].map((ms) => dumps.wants(ms * 1000)),
    [false, false, true],
  );
  assert.equal(readdirSync(path).length, 4, "nothing goes before something comes");
  await dumps.write(nameOf(5, 4), 5000, [Buffer.from("new")]);
  assert.deepEqual(readdirSync(path).sort(), [nameOf(10, 1), nameOf(5, 4), "notes.txt"].sort());
  assert.equal(dumps.files, 1);
  await dumps.write(nameOf(7, 5), 7000, [Buffer.from("new")]);
  assert.deepEqual(readdirSync(path).sort(), [nameOf(10, 1), nameOf(7, 5), "notes.txt"].sort());
  assert.equal(dumps.files, 1);
  await dumps.write(nameOf(10, 1), 10_000, [Buffer.from("again")]);
  assert.equal(readFileSync(join(path, nameOf(10, 1)), "latin1"), "again");
  assert.equal(readdirSync(path).length, 3);
});

test("files that somebody takes away make room for others", async () => {
  const path = fresh();
  let nowMs = 0;
  const dumps = new DumpFolder(path, 2, () => nowMs).open();
  for (const ms of [60_000, 60_001]) await dumps.write(nameOf(ms, ms), ms * 1000, [Buffer.from("incident")]);
  assert.equal(dumps.wants(5000), false);
  rmSync(join(path, nameOf(60_000, 60_000)));
  assert.equal(dumps.wants(5000), false, "nobody looks so soon");
  nowMs += 10_000;
  assert.equal(dumps.wants(5000), true);
  assert.deepEqual([dumps.files, dumps.takenAway], [1, 1]);
  await dumps.write(nameOf(5, 3), 5000, [Buffer.from("next")]);
  assert.deepEqual(readdirSync(path).sort(), [nameOf(5, 3), nameOf(60_001, 60_001)].sort());
  rmSync(path, { recursive: true });
  dumps.look();
  assert.deepEqual([dumps.files, dumps.takenAway, dumps.wants(1)], [0, 3, true]);
});

test("what cannot be written leaves nothing behind, and a link is not followed", async () => {
  const path = fresh();
  const dumps = new DumpFolder(path, 3).open();
  mkdirSync(join(path, nameOf(5)));
  await assert.rejects(dumps.write(nameOf(5), 5000, [Buffer.from("x")]));
  assert.deepEqual(readdirSync(path), [nameOf(5)]);
  const target = join(folder, "target");
  writeFileSync(target, "mine");
  symlinkSync(target, join(path, `.${nameOf(6)}.${process.pid}`));
  await dumps.write(nameOf(6), 6000, [Buffer.from("x")]);
  assert.equal(readFileSync(target, "latin1"), "mine");
});

test("a folder below /proc is refused: nothing waits for it for ever", (t) => {
  if (process.platform !== "linux") return t.skip("only Linux has this /proc");
  // In a process of its own, which can be ended from outside.
  const module = new URL("../../src/evidence/dump-folder.js", import.meta.url).href;
  const script = "const { DumpFolder } = await import(process.argv[1]); new DumpFolder(process.argv[2], 1).open();";
  const words = ["--input-type=module", "-e", script, module, "/proc/tcplat/slow"];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 20_000 });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /the folder \/proc\/tcplat\/slow of --dump-slow cannot be written: ENOENT/);
  return undefined;
});

test("a folder that the system lets nobody make is refused with the system's own reason", (t) => {
  const path = "/sys/tcplat/slow";
  if (process.platform !== "linux" || process.getuid?.() !== 0) return t.skip("needs Linux's /sys, and root");
  assert.throws(() => new DumpFolder(path, 1).open(), /of --dump-slow cannot be written: (EPERM|EACCES|EROFS)/);
  return undefined;
});

test("a folder that cannot be written is refused at once, with the reason", (t) => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const refused = (path: string, reason: RegExp) =>
    assert.throws(
      () => new DumpFolder(path, 1).open(),
      (error) => error instanceof TcplatError && error.code === "file" && reason.test(error.message),
    );
  refused(file, /EEXIST|ENOTDIR/);
  refused(join(file, "below"), /ENOTDIR/);
  if (process.getuid?.() === 0) return t.diagnostic("root may write everywhere: a read-only folder is not tried");
  const readOnly = fresh();
  mkdirSync(readOnly, { recursive: true });
  chmodSync(readOnly, 0o500);
  refused(readOnly, /EACCES/);
});

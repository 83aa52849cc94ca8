import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { writeAll, writePatiently } from "../src/write-all.ts";
import { temporaryFolder } from "./support/servers.ts";

/** More than the 64 KiB of a pipe (`pipe(7)`). */
const TEXT = "a line of a long summary\n".repeat(8000);
const { folder, remove } = temporaryFolder();
after(remove);
const pipe = join(folder, "slowly-read");
const skip = spawnSync("mkfifo", [pipe]).status === 0 ? false : "no mkfifo";

/** Opens both ends; `readAll` takes what is there, and returns its bytes. */
function openEnds() {
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(TEXT.length);
  const readAll = () => {
    try {
      return readSync(reader, bytes);
    } catch {
      return 0;
    }
  };
  return { reader, writer, readAll };
}

test("a reader who stands still for a second gets all that is written patiently", { skip }, async () => {
  const { reader, writer, readAll } = openEnds();
  let isWritten = false;
  const writing = writePatiently(writer, TEXT).then(() => {
    isWritten = true;
  });
  await sleep(1000);
  let read = 0;
  while (!isWritten) {
    read += readAll();
    await sleep(1);
  }
  await writing;
  read += readAll();
  assert.equal(read, TEXT.length);
  closeSync(reader);
  closeSync(writer);
});

test("whoever is gone is waited for by neither", { skip }, async () => {
  const { reader, writer } = openEnds();
  closeSync(reader);
  assert.equal(writeAll(writer, TEXT)?.code, "EPIPE");
  await writePatiently(writer, TEXT);
  closeSync(writer);
});

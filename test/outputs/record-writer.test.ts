import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  read as readFd,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import type { RecordWriterOptions } from "../../src/outputs/record-writer.ts";
import { RecordWriter } from "../../src/outputs/record-writer.ts";

const readSome = promisify(readFd);
const RECORD_BYTES = 100;
/** What a pipe holds. */
const CHUNK_BYTES = 65_536;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "tcplat-writer-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A named pipe: its reading end, which nothing reads yet, and its writing end. */
function pipe(t: TestContext): { readonly reader: number; readonly fd: number } {
  const path = join(directory(t), "pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, fd: openSync(path, "w") };
}

function writer(fd: number, mode: "file" | "live", more: Partial<RecordWriterOptions> = {}): RecordWriter {
  const onError = (error: Error): void => assert.fail(error);
  return new RecordWriter({ fd, mode, onClosed: () => assert.fail("closed"), onError, ...more });
}

/** Writes record number `index`, 100 bytes long; false when it was dropped. */
function put(to: RecordWriter, index: number): boolean {
  if (!to.begin()) return false;
  to.end(to.at + to.chunk.write(`${String(index).padEnd(RECORD_BYTES - 1, ".")}\n`, to.at));
  return true;
}

/** Reads a pipe until its writers have closed it. */
async function readAll(reader: number): Promise<string> {
  const parts: Buffer[] = [];
  const bytes = Buffer.alloc(10_000);
  for (;;) {
    try {
      const { bytesRead } = await readSome(reader, bytes, 0, bytes.length, null);
      if (bytesRead === 0) return Buffer.concat(parts).toString();
      parts.push(Buffer.from(bytes.subarray(0, bytesRead)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await turn();
    }
  }
}

/** Reads what a pipe holds: on a busy machine that may be nothing yet. */
function takeSome(reader: number, bytes: Buffer): number {
  try {
    return readSync(reader, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    return 0;
  }
}

function indexes(text: string): number[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((record) => {
      assert.equal(record.length, RECORD_BYTES - 1, "a record is whole or not there");
      return Number.parseInt(record, 10);
    });
}

describe("a writer in file mode", () => {
  it("loses nothing to a slow reader, and holds a bounded backlog", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "file", { capacityBytes: 200_000 });
    const text = readAll(reader);
    for (let i = 0; i < 30_000; i++) {
      if (to.isFull) await to.drain();
      assert.ok(put(to, i));
      assert.ok(to.backlogBytes <= 200_000 + RECORD_BYTES);
    }
    await to.close();
    closeSync(fd);
    assert.deepEqual(
      indexes(await text),
      Array.from({ length: 30_000 }, (_, index) => index),
    );
    assert.equal(to.recordsDropped, 0);
    closeSync(reader);
  });

  it("fills a regular file, a long last record included", async (t) => {
    const path = join(directory(t), "out");
    const fd = openSync(path, "w");
    const to = writer(fd, "file");
    for (let i = 0; i < 5000; i++) put(to, i);
    to.write(`${"s".repeat(300_000)}\n`);
    await to.close();
    const text = readFileSync(path, "utf8");
    assert.equal(text.length, 5000 * RECORD_BYTES + 300_001);
    assert.deepEqual(indexes(text.slice(0, 5000 * RECORD_BYTES)).length, 5000);
    closeSync(fd);
  });

  it("reports a regular file that cannot be written, and writes no more", async (t) => {
    const path = join(directory(t), "out");
    writeFileSync(path, "");
    const fd = openSync(path, "r");
    t.after(() => closeSync(fd));
    const errors: string[] = [];
    const to = writer(fd, "file", { onError: (error) => errors.push(`${error.code}: ${error.message}`) });
    put(to, 1);
    await to.drain();
    await to.close();
    assert.deepEqual(errors.length, 1);
    assert.match(errors.join(), /^running: standard output cannot be written: EBADF/);
    assert.ok(!put(to, 2));
  });

  it("reports a full disk once, and what to make of it", async (t) => {
    const fd = openSync("/dev/full", "w");
    t.after(() => closeSync(fd));
    const errors: string[] = [];
    const to = writer(fd, "file", { onError: (error) => errors.push(`${error.code}: ${error.message}`) });
    put(to, 1);
    await to.drain();
    await to.close();
    assert.match(errors.join(), /^running: standard output cannot be written: ENOSPC/);
    assert.ok(!put(to, 2));
  });
});

describe("a writer in live mode", () => {
  it("sends a record with the next turn of the event loop", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "live");
    const text = readAll(reader);
    put(to, 1);
    while (to.backlogBytes > 0) await turn();
    await to.close();
    closeSync(fd);
    assert.deepEqual(indexes(await text), [1]);
    closeSync(reader);
  });

  it("drops whole records beyond its capacity, counts them, and never waits", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "live", { capacityBytes: 300_000 });
    const total = 20_000;
    let written = 0;
    for (let i = 0; i < total; i++) {
      if (put(to, i)) written++;
      if (i % 100 === 0) await turn();
    }
    assert.ok(to.recordsDropped > 10_000);
    assert.equal(written + to.recordsDropped, total);
    assert.ok(to.backlogBytes <= 300_000 + RECORD_BYTES);
    const text = readAll(reader);
    await to.close();
    closeSync(fd);
    const got = indexes(await text);
    assert.equal(got.length, written);
    assert.deepEqual(
      got,
      got.toSorted((a, b) => a - b),
    );
    closeSync(reader);
  });

  it("takes records again once its reader goes on", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "live", { capacityBytes: 100_000 });
    let index = 0;
    while (put(to, index)) {
      index++;
      await turn();
    }
    const text = readAll(reader);
    while (!put(to, 999_999)) await turn();
    await to.close();
    closeSync(fd);
    assert.equal(indexes(await text).at(-1), 999_999);
    closeSync(reader);
  });

  it("is held by a stopped reader only so long when it closes, and counts what is left as dropped", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "live", { holdMs: 50 });
    for (let i = 0; i < 5000; i++) put(to, i);
    assert.equal(await to.close(), to.recordsDropped);
    assert.ok(to.recordsDropped > 4000);
    assert.ok(!put(to, 1));
    closeSync(fd);
    closeSync(reader);
  });

  it("waits longer when it closes for a reader that is slow, but reads", async (t) => {
    const { reader, fd } = pipe(t);
    const holdMs = 500;
    const to = writer(fd, "live", { holdMs });
    const records = 8000;
    for (let i = 0; i < records; i++) put(to, i);
    const closed = to.close();
    const startedAt = performance.now();
    const bytes = Buffer.alloc(CHUNK_BYTES);
    let taken = 0;
    const reading = setInterval(() => {
      taken += takeSome(reader, bytes);
      if (taken === records * RECORD_BYTES) clearInterval(reading);
    }, holdMs / 5);
    t.after(() => clearInterval(reading));
    assert.equal(await closed, 0);
    assert.ok(performance.now() - startedAt > holdMs, "it would have been given up");
    assert.equal(to.recordsDropped, 0);
    clearInterval(reading);
    closeSync(fd);
    closeSync(reader);
  });

  it("leaves the descriptor of its pipe blocking, as others may share it", async (t) => {
    const { reader, fd } = pipe(t);
    const to = writer(fd, "live");
    const flags = Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8);
    assert.equal(flags & constants.O_NONBLOCK, 0);
    await to.close();
    writeSync(fd, "still open");
    closeSync(fd);
    assert.equal(await readAll(reader), "still open");
    closeSync(reader);
  });

  it("says once that its reader has gone", async (t) => {
    const { reader, fd } = pipe(t);
    let closed = 0;
    const to = writer(fd, "live", {
      onClosed: () => {
        closed++;
      },
    });
    closeSync(reader);
    put(to, 1);
    while (closed === 0) await turn();
    assert.ok(!put(to, 2));
    await to.close();
    assert.equal(closed, 1);
    assert.equal(to.recordsDropped, 0);
    closeSync(fd);
  });
});

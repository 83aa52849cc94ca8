import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog, plainLine } from "../src/log.ts";
import type { LogOptions } from "../src/options/parse.ts";

function written(options: LogOptions, write: (log: ReturnType<typeof createLog>) => void): string {
  let text = "";
  write(
    createLog(options, (line) => {
      text += line;
    }),
  );
  return text;
}

test("as text, a message is one line that begins with the program's name", () => {
  const text = written({ level: "info", format: "text" }, (log) => {
    log.info("capturing on lo");
    log.warn({ interface: "lo" }, "lo is down");
    log.error(new Error("no such thing"));
    log.info("two\nlines\x1b[31m, and 1 µs");
  });
  assert.equal(
    text,
    "tcplat: capturing on lo\ntcplat: lo is down\ntcplat: no such thing\ntcplat: two\\x0alines\\x1b[31m, and 1 µs\n",
  );
});

test("a level hides what is less important", () => {
  const text = written({ level: "warn", format: "text" }, (log) => {
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.fatal("d");
  });
  assert.equal(text, "tcplat: c\ntcplat: d\n");
});

test("as JSON, a message is pino's record with the level's name", () => {
  const text = written({ level: "info", format: "json" }, (log) => log.info({ frames: 3 }, "done"));
  const record = JSON.parse(text);
  assert.deepEqual([record.level, record.name, record.msg, record.frames], ["info", "tcplat", "done", 3]);
  assert.ok(!Number.isNaN(Date.parse(record.time)));
});

test("what is said before there is a log looks the same", () => {
  assert.equal(plainLine("no\nway"), "tcplat: no\\x0away\n");
});

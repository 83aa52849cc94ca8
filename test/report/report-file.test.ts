import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TcplatError } from "../../src/errors.ts";
import { ReportFile } from "../../src/report/report-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-report-"));
after(() => rmSync(folder, { recursive: true }));

test("what cannot be written is refused at once, with the reason", () => {
  const directory = join(folder, "directory");
  mkdirSync(directory);
  for (const [name, reason] of [
    [directory, /no regular file/],
    ["/dev/null", /no regular file/],
    [join(folder, "missing", "report.html"), /ENOENT/],
  ] as const) {
    assert.throws(
      () => new ReportFile(name),
      (error) => error instanceof TcplatError && error.code === "file" && reason.test(error.message),
    );
  }
});

test("it is replaced as a whole, and nothing else is left behind", () => {
  const name = join(folder, "report.html");
  writeFileSync(name, "before");
  const file = new ReportFile(name);
  assert.equal(readFileSync(name, "utf8"), "before");
  for (const text of ["<p>one</p>", "<p>two</p>"]) {
    file.write(text);
    assert.equal(readFileSync(name, "utf8"), text);
  }
  assert.deepEqual(readdirSync(folder).sort(), ["directory", "report.html"]);
});

test("where the name is a link, the file behind it is replaced", () => {
  const target = join(folder, "target.html");
  const link = join(folder, "link.html");
  writeFileSync(target, "before");
  symlinkSync(target, link);
  new ReportFile(link).write("after");
  assert.equal(readFileSync(target, "utf8"), "after");
});

test("a disk that fails later is an error while running, and the old page stays", () => {
  const gone = join(folder, "gone");
  mkdirSync(gone);
  const file = new ReportFile(join(gone, "report.html"));
  rmSync(gone, { recursive: true });
  assert.throws(
    () => file.write("text"),
    (error) => error instanceof TcplatError && error.code === "running",
  );
});

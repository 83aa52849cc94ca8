import assert from "node:assert/strict";
import inspector from "node:inspector";
import { test } from "node:test";
import { closeInspector } from "../../src/run/close-inspector.ts";

test("an inspector that a signal has opened is closed, one that was asked for is not", (t) => {
  t.after(() => inspector.url() !== undefined && inspector.close());
  inspector.open(0);
  for (const words of [["--inspect"], ["--no-warnings", "--inspect-brk=0"], ["", "--trace-exit --inspect-wait"]]) {
    closeInspector(words);
    assert.notEqual(inspector.url(), undefined, words.join(" "));
  }
  closeInspector(["--inspect-port=9230", "--no-concurrent-recompilation"]);
  assert.equal(inspector.url(), undefined);
  closeInspector([]);
});

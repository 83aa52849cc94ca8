import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { formatTime } from "../../src/capture/strftime.ts";

const FORMAT = "%% %a %A %b %B %C %d %e %F %h %H %I %j %m %M %p %R %s %S %T %u %w %y %Y %z";

test("names are written as date(1) writes them", (t) => {
  for (const seconds of [0, 951_782_400, 1_583_666_586, 1_583_711_999, 1_767_225_599, 1_767_225_600]) {
    const date = spawnSync("date", ["-d", `@${seconds}`, `+${FORMAT}`], { env: { LC_ALL: "C" }, encoding: "utf8" });
    if (date.status !== 0) {
      t.skip("no date(1) that takes -d @SECONDS");
      return;
    }
    assert.equal(`${formatTime(FORMAT, seconds)}\n`, date.stdout);
  }
});

test("an unknown conversion and a lone percent sign stay as they stand", () => {
  assert.equal(formatTime("a%Qb%", 0), "a%Qb%");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { settleTimeZone } from "../src/time-zone.ts";

test("TZ in any of its forms becomes a name that Node knows, and one that it cannot know is told", () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ["", ""],
    ["UTC", "UTC"],
    ["Europe/Berlin", "Europe/Berlin"],
    [":Europe/Berlin", "Europe/Berlin"],
    ["posix/Europe/Berlin", "Europe/Berlin"],
    ["/nosuch/zoneinfo/Europe/Berlin", "Europe/Berlin"],
    [":/nosuch/zoneinfo/posix/Europe/Berlin", "Europe/Berlin"],
    ["EST5EDT", "EST5EDT"],
    ["UTC0", "UTC"],
    ["JST-9", "Etc/GMT-9"],
    ["<+03>-3", "Etc/GMT-3"],
    ["XYZ+5", "Etc/GMT+5"],
  ];
  for (const [wanted, settled] of cases) {
    const env = { TZ: wanted };
    assert.equal(settleTimeZone(env), null, wanted);
    assert.equal(env.TZ, settled);
  }
  for (const wanted of ["Nope/Zone", "CET-1CEST", "XYZ-20", "/nosuch/file", "a\nb"]) {
    const env = { TZ: wanted };
    assert.match(settleTimeZone(env) ?? "", /^TZ=.* is no time zone that Node knows, .*TZ=Europe\/Berlin$/s);
    assert.equal(env.TZ, wanted);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Look, lookOf, paint, wrap } from "../../src/explain/paint.ts";

test("a terminal's width, colour and letters are taken from it and from the environment", () => {
  const cases: readonly (readonly [Parameters<typeof lookOf>, Look])[] = [
    [[{}, {}], { columns: 100, isColoured: false, isUnicode: false }],
    [[{ isTTY: true, columns: 120 }, { LANG: "de_DE.UTF-8" }], { columns: 120, isColoured: true, isUnicode: true }],
    [[{ isTTY: true, columns: 40 }, { NO_COLOR: "1" }], { columns: 80, isColoured: false, isUnicode: false }],
    [[{ isTTY: true, columns: 100 }, { TERM: "dumb" }], { columns: 100, isColoured: false, isUnicode: false }],
    [
      [
        { isTTY: true, columns: 999 },
        { LC_ALL: "C", LANG: "C.utf8" },
      ],
      { columns: 140, isColoured: true, isUnicode: false },
    ],
  ];
  for (const [given, expected] of cases) assert.deepEqual(lookOf(...given), expected);
});

test("colour is only where it is wanted", () => {
  const look = { columns: 80, isColoured: true, isUnicode: true };
  assert.equal(paint(look, "red", "lost"), "\x1b[31mlost\x1b[0m");
  assert.equal(paint({ ...look, isColoured: false }, "red", "lost"), "lost");
});

test("lines are broken at blanks, and words only where there is none", () => {
  assert.deepEqual(wrap("one two three", 8), ["one two", "three"]);
  assert.deepEqual(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
  assert.deepEqual(wrap("", 4), [""]);
});

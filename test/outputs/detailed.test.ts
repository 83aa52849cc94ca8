import assert from "node:assert/strict";
import { test } from "node:test";
import { DetailedFormat } from "../../src/outputs/detailed.ts";
import { JsonFormat } from "../../src/outputs/json.ts";
import { LineFormat } from "../../src/outputs/line.ts";
import { type Details, MessageDetails } from "../../src/transactions/details.ts";
import { transaction } from "../aggregate/fixtures.ts";

const LINE = new DetailedFormat(new LineFormat({ isColoured: false, explains: false }), false);
const JSON_LINE = new DetailedFormat(new JsonFormat(), true);

function put(format: DetailedFormat, details: Details | null): string {
  const into = Buffer.alloc(format.capacity + 7);
  return into.toString("latin1", 0, format.put(transaction({ details }), into, 0));
}

function message(...fields: readonly (readonly [string, string | number])[]): MessageDetails {
  const told = new MessageDetails();
  for (const [name, value] of fields) told.add(name, value);
  return told;
}

test("the fields of both messages stand behind the record, in their order, escaped", () => {
  const details = {
    request: message(["id", 7], ["name", 'a"b\\c\n\xff']),
    response: message(["answer", "x y"], ["answer", "z"]),
  };
  assert.match(
    put(LINE, details),
    / \| request: id 7, name "a\\"b\\\\c\\\\x0a\\\\xff" \| response: answer "x y", answer z\n$/,
  );
  const record = JSON.parse(put(JSON_LINE, details));
  assert.equal(record.type, "transaction");
  assert.deepEqual(record.details, {
    request: [
      ["id", 7],
      ["name", 'a"b\\c\\x0a\\xff'],
    ],
    response: [
      ["answer", "x y"],
      ["answer", "z"],
    ],
  });
});

test("where a protocol tells of none, a line is as ever and a record says so", () => {
  assert.ok(!put(LINE, null).includes("request:"));
  assert.deepEqual(JSON.parse(put(JSON_LINE, null)).details, { request: [], response: [] });
});

test("whatever is told finds room: what does not fit is counted", () => {
  const worst = () => message(...Array.from({ length: 1000 }, () => ["n", "\xff".repeat(1000)] as const));
  const record = JSON.parse(put(JSON_LINE, { request: worst(), response: worst() }));
  for (const fields of [record.details.request, record.details.response]) {
    assert.equal(fields.at(-1)[0], "left_out");
    assert.ok(fields.at(-1)[1] > 900);
    assert.ok(JSON.stringify(fields).length > 4096);
  }
  const many = message(...Array.from({ length: 1000 }, (_, index) => ["n", index] as const));
  assert.equal(many.fields.length + many.leftOut, 1000);
});

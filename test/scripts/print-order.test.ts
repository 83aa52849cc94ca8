import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Place, type Printed } from "../../src/scripts/messages.ts";
import { printFormat } from "../../src/scripts/print-format.ts";
import { PrintOrder } from "../../src/scripts/print-order.ts";

/** A script's output: at each place a text. */
function printed(...parts: readonly (readonly [place: number, text: string])[]): Printed {
  const marks = parts.flatMap(([place], index) => [
    place,
    parts.slice(0, index + 1).reduce((all, [, text]) => all + text.length, 0),
  ]);
  return { bytes: new Uint8Array(Buffer.from(parts.map(([, text]) => text).join(""))), marks };
}

function record(frame: number, text: string) {
  return { place: Place.ofRecord(frame), bytes: Buffer.from(text) };
}

function started() {
  const out = { text: "" };
  const printer = {
    put: (bytes: Uint8Array) => {
      out.text += Buffer.from(bytes).toString();
    },
  };
  return { out, order: new PrintOrder(printer, (text) => text) };
}

test("of a frame come packet's words, then the records, then transaction's words; tick's come last", () => {
  const { out, order } = started();
  const said = printed(
    [Place.last, "tick "],
    [Place.ofTransaction(2), "t2 "],
    [Place.ofPacket(1), "p1 "],
    [Place.ofPacket(2), "p2 "],
  );
  order.add([record(1, "r1 "), record(2, "r2a "), record(2, "r2b ")], said);
  order.settle();
  assert.equal(out.text, "p1 r1 p2 r2a r2b t2 tick ");
});

test("a slice waits for those before it", () => {
  const { out, order } = started();
  const first = order.add([record(1, "a")], null);
  order.add([record(1, "b")], printed());
  order.settle();
  assert.equal(out.text, "");
  first.printed = printed([Place.ofPacket(1), "said "]);
  order.settle();
  assert.equal(out.text, "said ab");
  assert.ok(order.isEmpty);
});

test("records that are released are written once, and what is said later follows", () => {
  const { out, order } = started();
  const slice = order.add([record(1, "a ")], null);
  order.release(Number.POSITIVE_INFINITY);
  assert.equal(out.text, "a ");
  slice.printed = printed([Place.ofPacket(1), "late"]);
  order.settle();
  assert.equal(out.text, "a late");
});

test("in whatever order slices are answered, what is written is the same", () => {
  const slice = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 5 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(slice, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (slices, order) => {
      const written = (isInTurn: boolean): string => {
        const { out, order: all } = started();
        const waiting = slices.map((parts, at) => {
          const texts = parts.map(([, frame], index) => `${at}.${frame}.${index} `);
          const records = parts.flatMap(([isRecord, frame], i) => (isRecord ? [record(frame, texts[i]!)] : []));
          const said = parts.flatMap(([isRecord, frame], i) =>
            isRecord ? [] : [[Place.ofPacket(frame), texts[i]!] as const],
          );
          return { slice: all.add(records, null), printed: printed(...said) };
        });
        while (waiting.length > 0) {
          const at = isInTurn ? 0 : (order.next().value ?? 0) % waiting.length;
          const [answered] = waiting.splice(at, 1);
          answered!.slice.printed = answered!.printed;
          all.settle();
        }
        assert.ok(all.isEmpty);
        return out.text;
      };
      assert.equal(written(false), written(true));
    }),
  );
});

describe("what is printed is written", () => {
  const rows: readonly [string, { isJson: boolean; isTerminal: boolean }, string, string][] = [
    ["byte for byte into a file", { isJson: false, isTerminal: false }, "\x1b[2J\xff\0\n", "\x1b[2J\xff\0\n"],
    [
      "to a terminal without what would command it",
      { isJson: false, isTerminal: true },
      "a\t\x1b[2J\x9b\n",
      "a\t\\x1b[2J\\x9b\n",
    ],
    ["to a terminal with its UTF-8", { isJson: false, isTerminal: true }, "\xc3\xa9\n", "\xc3\xa9\n"],
    [
      "to a terminal without UTF-8's own control characters",
      { isJson: false, isTerminal: true },
      "\xc2\x9b\n",
      "\\x9b\n",
    ],
    [
      "as objects with --json",
      { isJson: true, isTerminal: false },
      `a "b"\nc\n`,
      `{"type":"print","text":"a \\"b\\""}\n{"type":"print","text":"c"}\n`,
    ],
    [
      "with --json as text, whatever its bytes",
      { isJson: true, isTerminal: false },
      "\xff\n",
      `{"type":"print","text":"\\\\xff"}\n`,
    ],
  ];
  for (const [name, settings, text, expected] of rows) {
    test(name, () => {
      const shown = printFormat(settings)(Buffer.from(text, "latin1"));
      assert.equal(Buffer.from(shown).toString("latin1"), expected);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { COMMANDS, WordTable } from "../../src/protocols/redis/commands.ts";
import { QuickWords } from "../../src/protocols/redis/quick-words.ts";

const quick = new QuickWords(COMMANDS);
const table = new WordTable(COMMANDS);

/** What both tables say of a word, which CR and LF follow as in a request. */
function found(word: Uint8Array): { readonly quick: number; readonly table: number } {
  const bytes = Uint8Array.from([...word, 0x0d, 0x0a]);
  return { quick: quick.find(new DataView(bytes.buffer), 0, word.length), table: table.find(bytes, 0, word.length) };
}

/** A byte that differs from one of a command by a bit or so, or any. */
const ODD_BYTE = fc.oneof(fc.constantFrom(0x0e, 0x20, 0x40, 0x5b, 0x60, 0x7b, 0x80, 0xc1, 0xe1), fc.nat(255));

describe("commands found by four bytes at a time", () => {
  it("are those of three to eight letters, in any case", () => {
    for (const [id, name] of COMMANDS.entries()) {
      if (id === 0) continue;
      const expected = /^[A-Z]{3,8}$/.test(name) ? id : 0;
      for (const word of [name, name.toLowerCase(), name[0] + name.slice(1).toLowerCase()]) {
        assert.equal(found(Buffer.from(word)).quick, expected, word);
      }
    }
  });

  it("are never taken for another, nor anything else for one of them", () => {
    const bytes = fc.tuple(fc.constantFrom(...COMMANDS), fc.nat(9), ODD_BYTE, fc.boolean(), fc.nat(9));
    fc.assert(
      fc.property(bytes, ([name, at, byte, isLonger, length]) => {
        const word = Buffer.from(isLonger ? name + name : name).subarray(0, isLonger ? length : undefined);
        if (at < word.length) word[at] = byte;
        const of = found(word);
        if (of.quick !== 0) assert.equal(of.quick, of.table, JSON.stringify(word.toString("latin1")));
      }),
      { numRuns: 5000 },
    );
  });

  it("are not their beginnings, filled up with blanks or zeros", () => {
    const filling = fc.uint8Array({ minLength: 1, maxLength: 5 }).map((bytes) => bytes.map((byte) => byte & 0x20));
    fc.assert(
      fc.property(fc.constantFrom(...COMMANDS), filling, (name, rest) => {
        assert.equal(found(Buffer.concat([Buffer.from(name), rest])).quick, 0, JSON.stringify([name, ...rest]));
      }),
      { numRuns: 5000 },
    );
  });
});

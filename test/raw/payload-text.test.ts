import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asciiText, hexText } from "../../src/raw/payload-text.ts";

/** In µs of CPU. */
function costOf(work: () => void): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

describe("a payload as ASCII", () => {
  it("breaks where it breaks a line, behind a tab, with a dot for what is not printable", () => {
    const cases: Record<string, string> = {
      "": "",
      a: "\ta\n",
      "a\n": "\ta\n",
      "a\r\nb\r": "\ta\n\tb.\n",
      "\n\n\r\n": "\t\n\t\n\t\n",
      "\t\x1b[2J~\x7f\xff": "\t..[2J~..\n",
    };
    for (const [bytes, text] of Object.entries(cases)) assert.equal(asciiText(Buffer.from(bytes, "latin1")), text);
    assert.equal(asciiText(new Uint8Array(60_000).fill(0x0a)), "\t\n".repeat(60_000));
  });

  it("costs less than its four times as long hexadecimal", () => {
    const payload = Buffer.alloc(60_000, "a");
    const repeat = (text: (bytes: Uint8Array) => string) => {
      for (let i = 0; i < 100; i++) text(payload);
    };
    repeat(asciiText);
    repeat(hexText);
    const ascii = costOf(() => repeat(asciiText));
    assert.ok(ascii < costOf(() => repeat(hexText)), `${ascii} µs`);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_ERROR, NO_REPLY, type Protocol, Recognition } from "../../src/protocols/protocol.ts";
import { assertEvents, bytesOf, parseTranscript, play } from "./transcript.ts";

/** A toy: each request is one byte, `n` wants no reply; each response is one byte. */
const toy: Protocol = {
  name: "toy",
  ports: [],
  commands: ["other"],
  errors: ["other"],
  recogniseRequest: () => Recognition.possible,
  recogniseResponse: () => Recognition.possible,
  createSession: (exchange) => ({
    requests: {
      push(bytes, start, end) {
        for (let at = start; at < end; at++) {
          exchange.requestBegins(at);
          exchange.word(true);
          exchange.text(bytes, at, at + 1);
          exchange.requestEnds(at + 1, 0, 0, bytes[at] === 0x6e ? NO_REPLY : 0, 0);
        }
        return true;
      },
      gap: () => false,
      resync() {},
    },
    responses: {
      push(_bytes, start, end) {
        for (let at = start; at < end; at++) {
          exchange.responseBegins(at);
          exchange.answer(at + 1, NO_ERROR);
        }
        return true;
      },
      gap: () => true,
      resync() {},
    },
  }),
};

const MARKDOWN = `# Title
## Two requests
\`\`\`client
an
\`\`\`
\`\`\`server
12
\`\`\`
\`\`\`client gap 4
\`\`\`
\`\`\`expect
request other "a" normal text "a" 1 bytes
request other "n" normal
no reply other
answer other ok
unmatched
client lost
\`\`\`
`;

test("escapes are undone and line ends ignored", () => {
  assert.equal(Buffer.from(bytesOf("a\\r\\n\nb\\x00\\\\\\{3 x\\n}")).toString("latin1"), "a\r\nb\0\\x\nx\nx\n");
  assert.throws(() => bytesOf("\\q"), /unknown escape/);
});

test("a transcript's steps are played in order and its details compared", () => {
  const [only, ...more] = parseTranscript(MARKDOWN);
  assert.ok(only?.expected);
  assert.equal(more.length, 0);
  assertEvents(play(toy, only.steps, { text: true, values: false }), only.expected);
});

for (const [what, wrong] of [
  ["another byte count", MARKDOWN.replace("1 bytes", "2 bytes")],
  ["a missing line", MARKDOWN.replace("unmatched\n", "")],
  ["a line too many", MARKDOWN.replace("unmatched\n", "unmatched\nunmatched\n")],
  ["another key", MARKDOWN.replace('other "a"', 'other "b"')],
] as const) {
  test(`a transcript fails for ${what}`, () => {
    const expected = parseTranscript(wrong)[0];
    assert.ok(expected?.expected);
    const events = play(toy, expected.steps, { text: true, values: false });
    assert.throws(() => assertEvents(events, expected.expected ?? []), assert.AssertionError);
  });
}

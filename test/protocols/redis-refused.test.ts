import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue } from "../support/segments.ts";

const NO_PERMISSION = "-NOPERM this user has no permissions to run this command\r\n";
const CONFIRMED = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
const UNSUBSCRIBED = "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n";

/** What is told of a client that waits for each of these replies; "" is none. */
function told(exchanges: readonly (readonly [string, string])[]): string[] {
  const dialogue = new Dialogue();
  dialogue.open();
  for (const [i, [request, reply]] of exchanges.entries()) {
    dialogue.client(1000 * (i + 1), `${request}\r\n`);
    if (reply !== "") dialogue.server(1000 * (i + 1) + 100 + i, reply);
  }
  const result = runSegments(dialogue.segments);
  assert.deepEqual(result.violations, []);
  return result.finished.map(({ text, latencyUs, unanswered }) => `${text} ${unanswered || latencyUs}`);
}

describe("what Redis refuses changes nothing for what follows", () => {
  it("MULTI, to a user without permission", () => {
    const exchanges = [
      ["MULTI", NO_PERMISSION],
      ["SUBSCRIBE a", CONFIRMED],
      ["UNSUBSCRIBE a", UNSUBSCRIBED],
      ["GET a", "$1\r\nx\r\n"],
    ] as const;
    assert.deepEqual(told(exchanges), ["MULTI 100", "SUBSCRIBE a 101", "UNSUBSCRIBE a 102", "GET a 103"]);
  });

  it("MULTI and CLIENT REPLY, to a subscriber of RESP2", () => {
    const exchanges = [
      ["SUBSCRIBE a", CONFIRMED],
      ["MULTI", "-ERR Can't execute 'multi': only PING is allowed in this context\r\n"],
      ["CLIENT REPLY OFF", "-ERR Can't execute 'client|reply': only PING is allowed in this context\r\n"],
      ["CLIENT REPLY SKIP", "-ERR Can't execute 'client|reply': only PING is allowed in this context\r\n"],
      ["UNSUBSCRIBE a", UNSUBSCRIBED],
      ["GET a", "$1\r\nx\r\n"],
    ] as const;
    assert.deepEqual(told(exchanges), [
      "SUBSCRIBE a 100",
      "MULTI 101",
      "CLIENT REPLY 102",
      "CLIENT REPLY 103",
      "UNSUBSCRIBE a 104",
      "GET a 105",
    ]);
  });

  for (const how of ["OFF", "SKIP"]) {
    it(`CLIENT REPLY ${how}, to a user without permission`, () => {
      const exchanges = [
        [`CLIENT REPLY ${how}`, NO_PERMISSION],
        ["GET a", "$1\r\nx\r\n"],
        ["GET b", "$1\r\nx\r\n"],
      ] as const;
      assert.deepEqual(told(exchanges), ["GET a 101", "GET b 102"]);
    });
  }

  const WRONG = "-ERR wrong number of arguments for this command\r\n";

  for (const how of ["OFF", "SKIP"]) {
    it(`CLIENT REPLY ${how}, in a transaction that EXEC does not execute`, () => {
      const exchanges = [
        ["MULTI", "+OK\r\n"],
        [`CLIENT REPLY ${how}`, "+QUEUED\r\n"],
        ["GET", WRONG],
        ["EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"],
        ["GET a", "$1\r\nx\r\n"],
        ["MULTI", "+OK\r\n"],
        [`CLIENT REPLY ${how}`, "+QUEUED\r\n"],
        ["EXEC", "*-1\r\n"],
        ["GET b", "$1\r\nx\r\n"],
        [`CLIENT REPLY ${how}`, ""],
        ["GET c", ""],
      ] as const;
      assert.deepEqual(told(exchanges), [
        "MULTI 100",
        "CLIENT REPLY 101",
        "GET 102",
        "EXEC 103",
        "GET a 104",
        "MULTI 105",
        "CLIENT REPLY 106",
        "EXEC 107",
        "GET b 108",
      ]);
    });
  }

  it("DISCARD and RESET with an argument, between MULTI and its end", () => {
    const exchanges = [
      ["MULTI", "+OK\r\n"],
      ["CLIENT REPLY OFF", "+QUEUED\r\n"],
      ["DISCARD x", WRONG],
      ["RESET x", WRONG],
      ["CLIENT REPLY OFF", "+QUEUED\r\n"],
      ["GET a", "+QUEUED\r\n"],
      ["EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"],
      ["GET b", "$1\r\nx\r\n"],
    ] as const;
    assert.deepEqual(told(exchanges), [
      "MULTI 100",
      "CLIENT REPLY 101",
      "DISCARD 102",
      "RESET 103",
      "CLIENT REPLY 104",
      "GET a 105",
      "EXEC 106",
      "GET b 107",
    ]);
  });

  it("RESET with an argument, of who has asked for silence", () => {
    const exchanges = [
      ["CLIENT REPLY OFF", ""],
      ["RESET x", ""],
      ["GET a", ""],
      ["CLIENT REPLY ON", "+OK\r\n"],
      ["GET b", "$1\r\nx\r\n"],
    ] as const;
    assert.deepEqual(told(exchanges), ["CLIENT REPLY 103", "GET b 104"]);
  });

  it("MULTI, to a client that is forgotten for a while and then has another one accepted", () => {
    const OTHERS = 600;
    const quiet = new Dialogue();
    quiet.open();
    let at = 1000;
    const exchange = (request: string, reply: string): void => {
      at += 1000;
      quiet.client(at, `${request}\r\n`);
      quiet.server(at + 100, reply);
    };
    exchange("MONITOR", "+OK\r\n");
    exchange("MULTI", NO_PERMISSION);
    exchange("GET a", NO_PERMISSION);
    const others = Array.from({ length: OTHERS }, (_, n) => {
      const other = new Dialogue({ address: "10.0.7.1", port: 10_000 + n });
      at += 1000;
      other.open(at);
      other.client(at + 100, "GET b\r\n");
      other.server(at + 200, "$1\r\nx\r\n");
      return other;
    });
    exchange("MULTI", "+OK\r\n");
    exchange("SUBSCRIBE a b", "+QUEUED\r\n");
    exchange("GET a", "+QUEUED\r\n");
    const result = runSegments(
      [quiet, ...others].flatMap(({ segments }) => segments).sort((a, b) => a.timeUs - b.timeUs),
    );
    const told = result.finished
      .filter(({ text }) => text !== "GET b")
      .map(({ text, latencyUs, unanswered }) => `${text} ${unanswered || latencyUs}`);
    assert.deepEqual(told, ["MONITOR 100", "MULTI 100", "GET a 100", "MULTI 100", "SUBSCRIBE a 100", "GET a 100"]);
  });
});

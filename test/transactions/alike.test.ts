import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MAX_PENDING, PendingPool } from "../../src/transactions/pending.ts";
import { MAX_PENDING_PER_CONNECTION } from "../../src/transactions/requesting.ts";
import { type Circumstances, command, Dialogue, Ledger } from "./dialogue.ts";

/** What both sides do, one after the other. */
type Step =
  | { readonly kind: "ask"; readonly words: readonly string[]; readonly times: number }
  | {
      readonly kind: "reply";
      readonly replies: readonly string[];
      readonly parted: number;
    }
  | { readonly kind: "resend"; readonly length: number }
  | { readonly kind: "wait"; readonly us: number };

const key = fc.constantFrom("k", "key:1", "a key", "k".repeat(130), "k".repeat(900), "\r\n*2\r\n$3\r\n");
const value = fc.constantFrom("", "v", "v".repeat(12), "v".repeat(2000));
const words = fc.oneof(
  fc.tuple(fc.constantFrom("GET", "get", "TTL", "EXISTS", "NOSUCH"), key),
  fc.tuple(fc.constantFrom("SET", "APPEND"), key, value),
  fc.tuple(fc.constantFrom("PING", "TIME", "BGSAVE")),
  fc.tuple(fc.constantFrom("BLPOP"), key, fc.constant("0")),
  fc.tuple(fc.constantFrom("MULTI", "EXEC", "ASKING")),
);
const reply = fc.constantFrom("+OK\r\n", ":1\r\n", "$1\r\nx\r\n", "$-1\r\n", "-ERR no\r\n", "*1\r\n:1\r\n", "_\r\n");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("ask"), words, times: fc.constantFrom(1, 2, 3, 9, 40) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("reply"),
      replies: fc.oneof(
        fc.array(reply, { maxLength: 12 }),
        fc.tuple(reply, fc.nat(30)).map(([one, n]) => Array(n).fill(one)),
      ),
      parted: fc.nat(60),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("resend"), length: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait"), us: fc.constantFrom(1, 3000, 70_000_000) }) },
);

/** Requests like one another that differ in their key, where it has a digit's room. */
function asked(words: readonly string[], times: number): string[] {
  const [name = "", ...rest] = words;
  return Array.from({ length: times }, (_, i) => {
    const [first = "", ...values] = rest;
    return command(name, ...(rest.length === 0 ? [] : [`${first.slice(0, -1)}${i % 10}`, ...values]));
  });
}

/** Acts it out: requests that are sent together in one segment, or in one each. */
function act(steps: readonly Step[], isTogether: boolean, given: Circumstances): Dialogue {
  const dialogue = new Dialogue(given);
  let nowUs = 1000;
  for (const step of steps) {
    nowUs += 50;
    if (step.kind === "ask") {
      const requests = asked(step.words, step.times);
      for (const text of isTogether ? [requests.join("")] : requests) dialogue.client(nowUs, text);
    } else if (step.kind === "reply") {
      const text = step.replies.join("");
      for (const part of [text.slice(0, step.parted), text.slice(step.parted)])
        if (part !== "") dialogue.server(nowUs++, part);
    } else if (step.kind === "resend") dialogue.again(true, step.length, nowUs);
    else {
      nowUs += step.us;
      dialogue.conversation.expire(nowUs);
    }
  }
  return dialogue;
}

describe("requests that are alike and come together", () => {
  it("are told as those that come each in a segment of its own, whatever becomes of them", () => {
    const how = fc.record({
      steps: fc.array(step, { maxLength: 14 }),
      end: fc.constantFrom("closed" as const, "reset" as const, "evicted" as const, "idle" as const),
      toldFromUs: fc.constantFrom(0, 120, 1e6),
      /** Replies in a last segment, of which so much was not captured. */
      last: fc.nat(6),
      uncaptured: fc.constantFrom(0, 1, 4, 5),
    });
    fc.assert(
      fc.property(how, ({ steps, end, toldFromUs, last, uncaptured }) => {
        const pool = new PendingPool(true);
        const ledger = () => new Ledger(toldFromUs, toldFromUs / 2);
        const together = act(steps, true, { pool, ledger: ledger() });
        const apart = act(steps, false, { ledger: ledger() });
        for (const dialogue of [together, apart]) {
          if (last > 0) dialogue.server(1e9, "+OK\r\n".repeat(last), { cut: uncaptured });
          dialogue.end(end);
        }
        assert.deepEqual(together.ledger, apart.ledger);
        assert.equal(pool.used, 0);
        assert.equal(pool.repeated?.used, 0);
      }),
      { numRuns: 500, seed: 20_261_122 },
    );
  });

  it("share an entry of the pool, and have one each once somebody looks at them", () => {
    const pool = new PendingPool(true);
    const dialogue = new Dialogue({ pool });
    dialogue.client(1000, asked(["GET", "key:0"], 40).join(""));
    assert.equal(pool.used, 40);
    assert.equal(pool.repeated?.used, 1);
    dialogue.server(1500, "-ERR no\r\n".repeat(3)).server(1600, "+OK\r\n".repeat(37));
    assert.equal(pool.used, 0);
    assert.equal(pool.repeated?.used, 0);
    assert.deepEqual(
      dialogue.told.map(({ id, text, key, times }) => `${id} ${text} ${key} ${times[0]}`),
      Array.from({ length: 40 }, (_, i) => `1-${i + 1} GET key:${i % 10} key:${i % 10} ${i < 3 ? 500 : 600}`),
    );
  });

  it("are told one by one where they took long, where the server took long for them, or where others waited for it", () => {
    const ledger = new Ledger(1000, 100);
    const dialogue = new Dialogue({ ledger });
    const some = asked(["GET", "key:0"], 5).join("");
    dialogue.client(1000, some).server(1400, "+OK\r\n".repeat(3)).server(1600, "+OK\r\n".repeat(2));
    dialogue.client(5000, some).server(5050, "+OK\r\n".repeat(3)).server(6000, "+OK\r\n".repeat(2));
    dialogue.client(9000, command("PING")).server(9400, "+PONG\r\n");
    dialogue.client(9500, command("PING")).server(9590, "+PONG\r\n");
    assert.deepEqual(
      dialogue.told.map(({ id, text, times }) => `${id} ${text} ${times[2]} ${times[4]}`),
      [
        "1-1 GET key:0 400 0",
        "1-4 GET key:3 600 400",
        "1-6 GET key:0 50 0",
        "1-9 GET key:3 1000 50",
        "1-10 GET key:4 1000 1000",
        "1-11 PING 400 0",
      ],
    );
    assert.equal(
      [...ledger.soon.values()].reduce((sum, count) => sum + count, 0),
      6,
    );
  });

  it("are counted to the last that there is room for, in one connection and in all", () => {
    const many = asked(["GET", "k0"], 4096).join("");
    const pool = new PendingPool(true);
    const one = new Dialogue({ pool, wantsText: false });
    for (let i = 0; i < MAX_PENDING_PER_CONNECTION / 4096; i++) one.client(1, many);
    assert.equal(one.ledger.requests, MAX_PENDING_PER_CONNECTION);
    assert.deepEqual(one.ledger.parserErrors, []);
    one.client(2, asked(["GET", "k0"], 3).join(""));
    assert.deepEqual([one.ledger.requests, ...one.ledger.parserErrors], [MAX_PENDING_PER_CONNECTION, "pending_limit"]);
    const others = Array.from({ length: 8 }, (_, i) => new Dialogue({ pool, id: i + 2, wantsText: false }));
    for (const other of others) for (let i = 0; i < 16; i++) other.client(3, many);
    assert.equal(pool.used, MAX_PENDING);
    one.end("reset");
    for (const other of others) other.end("reset");
    assert.equal(pool.used, 0);
    assert.equal(pool.repeated?.used, 0);
    assert.equal(
      [one, ...others].reduce((sum, { told }) => sum + told.length, 0),
      MAX_PENDING,
    );
  });

  it("are told apart from those that differ in a byte around their words", () => {
    const first = command("SET", "k1", "v1");
    for (let i = 0; i < first.length; i++) {
      for (const byte of ["\n", "0", "2", "9", "g", "\x00", "\x80", "\xff"]) {
        const second = first.slice(0, i) + byte + first.slice(i + 1);
        const together = new Dialogue().client(1, first + second + first).server(5, "+OK\r\n".repeat(3));
        const apart = new Dialogue()
          .client(1, first)
          .client(1, second + first)
          .server(5, "+OK\r\n".repeat(3));
        assert.deepEqual(together.told, apart.told, JSON.stringify(second));
        assert.deepEqual(together.ledger.parserErrors, apart.ledger.parserErrors, JSON.stringify(second));
      }
    }
  });
});

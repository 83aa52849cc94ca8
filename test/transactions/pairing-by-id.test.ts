import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_ERROR, type Parser, type Protocol, Recognition } from "../../src/protocols/protocol.ts";
import { PendingPool } from "../../src/transactions/pending.ts";
import { Dialogue } from "./dialogue.ts";

/** A made protocol: a request is `<id>\n`, a response the same; those with an empty wait say so: `<id>!\n`. */
const BY_ID: Protocol = {
  name: "redis",
  ports: [6379],
  commands: ["other"],
  errors: ["other"],
  isConcurrent: true,
  recogniseRequest: () => Recognition.certain,
  recogniseResponse: () => Recognition.no,
  createSession: (exchange) => ({
    requests: lines((id, start, end) => {
      exchange.requestBegins(start);
      exchange.requestEnds(end, 0, 0, 7, id);
    }),
    responses: lines((id, start, end, isEmpty) => {
      exchange.responseBegins(start);
      if (isEmpty && exchange.replyKindOf(id) === 7) exchange.bringsNothing(id, 1);
      exchange.answerById(end, id, NO_ERROR);
    }),
  }),
};

function lines(tell: (id: number, start: number, end: number, isEmpty: boolean) => void): Parser {
  return {
    push(bytes, start, end) {
      let from = start;
      for (const line of Buffer.from(bytes.subarray(start, end)).toString().split("\n").slice(0, -1)) {
        tell(Number.parseInt(line, 10), from, from + line.length + 1, line.endsWith("!"));
        from += line.length + 1;
      }
      return true;
    },
    gap: () => false,
    resync() {},
  };
}

test("responses with an id go to their requests in whatever order, and none waits behind another", () => {
  const dialogue = new Dialogue({ protocols: [BY_ID] });
  dialogue.client(1000, "5\n6\n7\n").server(1100, "7\n5\n").server(1300, "9\n6\n").client(2000, "5\n8\n");
  dialogue.server(2500, "5!\n").server(2999, "8!\n");
  assert.deepEqual(
    dialogue.told.map(({ id, times, class: kind }) => [id, times[0], times[4], kind]),
    [
      ["1-3", 100, 0, "normal"],
      ["1-1", 100, 0, "normal"],
      ["1-2", 300, 0, "normal"],
      ["1-4", 500, 0, "normal"],
      ["1-5", 999, 0, "blocking"],
    ],
  );
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["no_request"]);
});

test("the fields of messages are told with their request, and with no other", () => {
  const details = (session: Parameters<Protocol["createSession"]>[0], name: string, id: number) =>
    session.wantsDetails && session.detail(name, id);
  const telling: Protocol = {
    ...BY_ID,
    createSession: (exchange) => ({
      requests: lines((id, start, end) => {
        exchange.requestBegins(start);
        if (id !== 6) details(exchange, "asked", id);
        exchange.requestEnds(end, 0, 0, 7, id);
      }),
      responses: lines((id, start, end) => {
        exchange.responseBegins(start);
        if (id !== 7) details(exchange, "said", id);
        exchange.answerById(end, id, NO_ERROR);
      }),
    }),
  };
  const fields = (pool: PendingPool) => {
    const dialogue = new Dialogue({ protocols: [telling], pool });
    dialogue.client(1, "5\n6\n7\n").server(2, "7\n9\n5\n").server(3, "6\n").client(4, "8\n").server(5, "8\n");
    return dialogue.told.map(({ details: told }) => [told?.request?.fields ?? null, told?.response?.fields ?? null]);
  };
  const [asked, said] = [(id: number) => [["asked", id]], (id: number) => [["said", id]]];
  assert.deepEqual(fields(new PendingPool(true, true)), [
    [asked(7), null],
    [asked(5), said(5)],
    [null, said(6)],
    [asked(8), said(8)],
  ]);
  assert.deepEqual(fields(new PendingPool(true)), Array(4).fill([null, null]));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { MatchingFrames } from "../../src/evidence/matching-frames.ts";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { BEGIN_US, batchOf, CLIENT, Dialogue, SERVER, type TestHost } from "../support/segments.ts";

const REQUESTS = 4000;
const REQUESTS_A_SLICE = 250;

function endpoint({ address, port }: TestHost): { readonly text: string } {
  return { text: `${address}:${port}` };
}

/** Writes the frames of a client that asks again `gapUs` after each response, which takes 10 µs; all of its requests match. The CPU time, in µs. */
function costOf(gapUs: number): number {
  const slices: Uint8Array[] = [];
  const transactions: Transaction[] = [];
  const dialogue = new Dialogue();
  dialogue.open();
  for (let i = 1; i <= REQUESTS; i++) {
    const startUs = 1000 + i * gapUs;
    dialogue.client(startUs, "GET x\r\n");
    dialogue.server(startUs + 10, "$1\r\nv\r\n");
    const [client, serverEndpoint] = [endpoint(CLIENT), endpoint(SERVER)];
    const times = { startUs: BEGIN_US + startUs, endUs: BEGIN_US + startUs + 10, unanswered: "" };
    transactions.push({ client, serverEndpoint, ...times } as Transaction);
    if (i % REQUESTS_A_SLICE === 0) slices.push(batchOf(dialogue.segments.splice(0)));
  }
  const frames = new MatchingFrames({ bufferBytes: 16 << 20, requestTimeoutUs: 60e6 }, { linkType: 1 }, assert.fail);
  let written = 0;
  const write = (_: Uint8Array, start: number, end: number) => {
    written += end - start;
    return true;
  };
  const begin = process.cpuUsage();
  for (const slice of slices) {
    frames.keep(slice, 0, slice.length, write);
    const told = transactions.splice(0, REQUESTS_A_SLICE);
    for (const transaction of told) frames.transaction(transaction);
    frames.advance(told.at(-1)!.endUs);
  }
  assert.match(
    frames.finish(write),
    new RegExp(`${3 + 2 * REQUESTS} frames of ${REQUESTS} transactions were written$`),
  );
  const { user, system } = process.cpuUsage(begin);
  assert.equal(
    written,
    slices.reduce((sum, { length }) => sum + length, 0),
  );
  return user + system;
}

test("a request costs no more where its client sends very many within the time that its last frames are waited for", () => {
  costOf(20_000);
  const [few, many] = [costOf(20_000), costOf(15)];
  assert.ok(many < 5 * few, `${few} µs for a request each 20 ms, ${many} µs for one each 15 µs`);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { runSegments } from "../properties/run.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue } from "../support/segments.ts";
import { missingProgram, type RealServer, startRedis } from "../support/servers.ts";

const skip = missingProgram("redis-server") ?? false;
/** What MONITOR sends. */
const MONITORED = /\+\d{10}\.\d{6} .*\r\n/g;

/** A line that a client sends, and what the server sends before the next one is: "" is nothing. */
type Step = readonly [request: string, reply: string];

/**
 * Sends a real server one line after the other. It does one thing at a time: what it has to say to a line is there once it has answered
 * another client three times: it accepts, reads and writes by turns.
 */
async function converse({ host, port }: RealServer, requests: readonly string[]): Promise<Step[]> {
  const other = await RawClient.connect(port, respReplyEnd, host);
  const socket = connect({ port, host, noDelay: true });
  await once(socket, "connect");
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
  const steps: Step[] = [];
  for (const request of requests) {
    socket.write(`${request}\r\n`);
    for (let i = 0; i < 3; i++) await other.ask(resp("PING"));
    await new Promise((resolve) => setImmediate(resolve));
    steps.push([request, heard]);
    heard = "";
  }
  socket.destroy();
  other.socket.destroy();
  return steps;
}

/** The requests that the server replied to, each with the latency that tells whose reply it is. */
function asReplied(steps: readonly Step[], firstUs: number, stepUs: number): string[] {
  return steps.flatMap(([request, reply], i) => {
    return reply.replace(MONITORED, "") === "" ? [] : [`${request.replace(/ .*/, "")} ${firstUs + i * stepUs}`];
  });
}

function told(dialogue: Dialogue): string[] {
  const result = runSegments(dialogue.segments);
  assert.deepEqual(result.violations, []);
  return result.finished.map(
    ({ text, latencyUs, unanswered }) => `${text.replace(/ .*/, "")} ${unanswered || latencyUs}`,
  );
}

/** The client waits for what comes. */
function oneByOne(steps: readonly Step[]): void {
  const dialogue = new Dialogue();
  dialogue.open();
  for (const [i, [request, reply]] of steps.entries()) {
    dialogue.client(10_000 * (i + 1), `${request}\r\n`);
    if (reply !== "") dialogue.server(10_000 * (i + 1) + 100 + i, reply);
  }
  assert.deepEqual(told(dialogue), asReplied(steps, 100, 1));
}

/** All is sent in one segment, and replied to the same. */
function atOnce(steps: readonly Step[]): void {
  const dialogue = new Dialogue();
  dialogue.open();
  dialogue.client(1000, steps.map(([request]) => `${request}\r\n`).join(""));
  for (const [i, [, reply]] of steps.entries()) if (reply !== "") dialogue.server(1100 + i * 10, reply);
  assert.deepEqual(told(dialogue), asReplied(steps, 100, 10));
}

describe("what a real redis-server replies to, and what it does not", { skip }, () => {
  let server: RealServer;
  before(async () => {
    if (skip === false) server = await startRedis();
  });
  after(() => server?.stop());

  /** Of what only the replies tell. */
  function pairsOneByOne(name: string, ...requests: string[]): void {
    it(name, async () => oneByOne(await converse(server, requests)));
  }

  /** Of a name and the requests: with replies as they come, and to all of them at once. */
  function pairs(name: string, ...requests: string[]): void {
    it(name, async () => {
      const steps = await converse(server, requests);
      oneByOne(steps);
      atOnce(steps);
    });
  }

  pairs(
    "a value of the words of an acknowledgement",
    "DEL l",
    "RPUSH l REPLCONF ACK 123",
    "LRANGE l 0 -1",
    "GET a",
    "ECHO b",
  );
  pairs(
    "SSUBSCRIBE within MULTI",
    "MULTI",
    "SSUBSCRIBE a b",
    "GET a",
    "EXEC",
    "PING",
    "CLIENT REPLY SKIP",
    "ECHO a",
    "ECHO b",
  );
  pairs(
    "REPLCONF ACK and GETACK of an ordinary client",
    "GET a",
    "REPLCONF GETACK *",
    "ECHO a",
    "REPLCONF ack 1",
    "ECHO b",
    "REPLCONF ACK",
    "ECHO c",
    "CLIENT REPLY SKIP",
    "REPLCONF ACK 1",
    "PING",
    "REPLCONF capa eof",
    "PING",
  );
  pairs(
    "REPLCONF ACK and GETACK within MULTI",
    "MULTI",
    "REPLCONF GETACK *",
    "REPLCONF ACK 1",
    "REPLCONF capa eof",
    "REPLCONF ACK",
    "EXEC",
    "PING",
  );
  pairs(
    "REPLCONF ACK and MONITOR of a subscriber are refused",
    "SUBSCRIBE a",
    "REPLCONF ACK 1",
    "MONITOR",
    "MONITOR",
    "PING",
    "RESET",
    "PING",
  );
  pairs(
    "DISCARD with an argument, and behind it EXEC",
    "MULTI",
    "DISCARD x",
    "GET a",
    "EXEC",
    "GET a",
    "EXEC",
    "DISCARD x",
  );
  pairs(
    "DISCARD with an argument refuses what EXEC is told",
    "MULTI",
    "CLIENT REPLY OFF",
    "DISCARD x",
    "EXEC",
    "ECHO a",
    "CLIENT REPLY SKIP",
    "DISCARD x",
    "ECHO b",
  );
  pairs("EXEC with an argument discards", "MULTI", "CLIENT REPLY OFF", "EXEC x", "ECHO a", "EXEC x", "EXEC", "ECHO b");
  pairs(
    "MULTI within MULTI is not executed",
    "CLIENT REPLY OFF",
    "MULTI",
    "CLIENT REPLY ON",
    "MULTI",
    "EXEC",
    "ECHO a",
    "ECHO b",
  );
  pairs("MULTI with an argument within MULTI", "MULTI", "MULTI x", "CLIENT REPLY OFF", "EXEC", "ECHO a");
  pairs(
    "RESET with an argument leaves CLIENT REPLY as it is",
    "CLIENT REPLY OFF",
    "RESET x",
    "ECHO a",
    "CLIENT REPLY ON",
    "CLIENT REPLY SKIP",
    "RESET x",
    "ECHO b",
  );
  pairs("RESET with an argument within MULTI", "MULTI", "RESET x", "GET a", "CLIENT REPLY SKIP", "EXEC", "ECHO a");
  pairs(
    "RESET with an argument leaves a subscriber and a monitor what they are",
    "SUBSCRIBE a",
    "RESET x",
    "CLIENT REPLY OFF",
    "PING",
    "RESET",
    "MONITOR",
    "RESET x",
    "MONITOR",
    "ECHO a",
    "RESET",
    "ECHO b",
  );
  pairsOneByOne(
    "CLIENT REPLY OFF and SKIP in a transaction that is refused: a command of it was wrong",
    "MULTI",
    "CLIENT REPLY OFF",
    "GET",
    "EXEC",
    "ECHO a",
    "MULTI",
    "CLIENT REPLY SKIP",
    "NOSUCH",
    "EXEC",
    "ECHO b",
    "MULTI",
    "CLIENT REPLY OFF",
    "EXEC",
    "ECHO c",
    "CLIENT REPLY ON",
    "MULTI",
    "CLIENT REPLY SKIP",
    "EXEC",
    "ECHO d",
    "ECHO e",
  );
  pairsOneByOne(
    "CLIENT REPLY OFF in a transaction that is not executed: a watched key has changed",
    "WATCH w",
    "SET w 1",
    "MULTI",
    "CLIENT REPLY OFF",
    "SUBSCRIBE a b",
    "EXEC",
    "ECHO a",
    "CLIENT REPLY OFF",
    "ECHO b",
    "CLIENT REPLY ON",
    "MULTI",
    "GET nosuch",
    "CLIENT REPLY OFF",
    "EXEC",
    "ECHO c",
  );
  pairsOneByOne(
    "the same in RESP3",
    "HELLO 3",
    "WATCH w",
    "SET w 1",
    "MULTI",
    "CLIENT REPLY SKIP",
    "EXEC",
    "ECHO a",
    "CLIENT REPLY SKIP",
    "ECHO b",
    "ECHO c",
  );
  pairs("MONITOR again", "MONITOR", "MONITOR", "PING", "MONITOR x", "RESET", "MONITOR", "MONITOR", "RESET", "ECHO a");
  pairs(
    "MONITOR silenced by CLIENT REPLY SKIP, and again",
    "CLIENT REPLY SKIP",
    "MONITOR",
    "MONITOR",
    "PING",
    "ECHO a",
  );
  pairs(
    "MONITOR and SYNC of a monitor that subscribes are refused",
    "MONITOR",
    "SUBSCRIBE a",
    "MONITOR",
    "SYNC",
    "PING",
    "UNSUBSCRIBE",
    "PING",
  );
  pairs(
    "SYNC and PSYNC behind MONITOR",
    "MONITOR",
    "SYNC",
    "PING",
    "PSYNC ? -1",
    "ECHO a",
    "SYNC x",
    "PSYNC x",
    "ECHO b",
  );
  pairs(
    "MONITOR behind CLIENT REPLY SKIP, and within MULTI",
    "MONITOR",
    "CLIENT REPLY SKIP",
    "MONITOR",
    "ECHO a",
    "MULTI",
    "MONITOR",
    "PING",
    "EXEC",
    "ECHO b",
  );
});

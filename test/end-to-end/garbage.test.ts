import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { memcachedReplyEnd, RawClient, type ReplyEnd, resp, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startMemcached, startRedis } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server", "memcached") ?? false;

/** What a broken or hostile peer may send: each is sent by the client, and by the server. */
const GARBAGE: Readonly<Record<string, () => Uint8Array>> = {
  "random bytes": () => randomBytes(200_000),
  "an array of two thousand million": () => Buffer.from(`*2000000000\r\n${"$1\r\nx\r\n".repeat(500)}`),
  "a string of half a gigabyte, of which little comes": () => Buffer.from(`*2\r\n$536870912\r\n${"y".repeat(100_000)}`),
  "lengths that are none": () =>
    Buffer.from("*-5\r\n$-7\r\n*99999999999999999999\r\n$x\r\n*1\r\n$18446744073709551616\r\n"),
  "arrays within arrays, 3,000 deep": () => Buffer.from("*1\r\n".repeat(3000)),
  "half a request": () => Buffer.from("*3\r\n$3\r\nSET\r\n$3\r\nfo"),
  "a line without an end": () => Buffer.alloc(300_000, "a"),
  "only line ends": () => Buffer.from("\r\n".repeat(1000)),
  "a set of memcached with an absurd length": () => Buffer.from(`set k 0 0 99999999999\r\n${"z".repeat(1000)}`),
  "binary memcached with a body of 4 GiB": () => Buffer.from(`80010003080000${"00ffffffff"}${"00".repeat(12)}`, "hex"),
  "the beginning of an HTTP request": () => Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  "escape sequences for a terminal": () =>
    Buffer.from("*2\r\n$3\r\nGET\r\n$9\r\n\u001b[31m\u0007\n\u009b\r\n", "latin1"),
};

let redis: RealServer;
let memcached: RealServer;
/** Answers whatever comes with the garbage whose name the first line holds. */
let mirror: Server;
let mirrorPort = 0;
before(async () => {
  if (skip !== false) return;
  [redis, memcached] = await Promise.all([startRedis(), startMemcached()]);
  mirror = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (chunk) => socket.end(Object.values(GARBAGE)[chunk[0]! - 0x41]!()));
  });
  mirror.listen(0, "127.0.0.1");
  await once(mirror, "listening");
  mirrorPort = (mirror.address() as AddressInfo).port;
});
after(async () => {
  mirror?.close();
  await Promise.all([redis?.stop(), memcached?.stop()]);
});

/** Sends bytes to a port and waits until it is over, or a moment after all was taken. */
async function throwAt(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.on("data", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.end(bytes);
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 200))]);
  socket.destroy();
  await closed;
}

function residentMib(tcplat: Tcplat): number {
  const status = readFileSync(`/proc/${tcplat.child.pid}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

describe("garbage on the wire", { skip }, () => {
  for (const [name, port, replyEnd, request] of [
    ["redis", () => redis.port, respReplyEnd, resp("PING")],
    ["memcached", () => memcached.port, memcachedReplyEnd, "version\r\n"],
  ] as readonly (readonly [string, () => number, ReplyEnd, string])[]) {
    it(`is counted, ends nothing, and takes no memory: to and from a port of ${name}`, async () => {
      const filter = ["tcp", "port", `${port()}`, "or", "tcp", "port", `${mirrorPort}`];
      const tcplat = await Tcplat.capturing(["-i", "lo", "--json", "-p", name, ...NO_PORTS, ...filter]);
      const round = async () => {
        for (const [i, make] of Object.values(GARBAGE).entries()) {
          await throwAt(port(), make());
          await throwAt(mirrorPort, Buffer.from([0x41 + i]));
        }
      };
      await round();
      const before = residentMib(tcplat);
      for (let i = 0; i < 4; i++) await round();
      const client = await RawClient.connect(port(), replyEnd);
      const own = () => tcplat.records.filter((record) => record.client === client.endpoint);
      // Not ten times alone: while this process reads what was made of the garbage, records may be dropped.
      const asked: Promise<unknown>[] = [];
      const asking = setInterval(() => void asked.push(client.ask(request)), 5);
      await until("good requests are told", () => own().length >= 10);
      clearInterval(asking);
      // One that still waits when the capture ends would be unanswered.
      await Promise.all(asked);
      const grown = residentMib(tcplat) - before;
      assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
      assert.ok(grown < 64, `${grown} MiB more`);
      assert.deepEqual(
        own().filter((record) => record.status !== "ok"),
        [],
      );
      assert.ok(total(tcplat.summary, "parser_errors") > 0, "counted with a reason");
      assert.ok(
        [...tcplat.stdout].every((character) => character === "\n" || character >= " "),
        "nothing raw is printed",
      );
      assert.doesNotMatch(tcplat.stdout, /[\u007f-\u009f]/);
      assert.equal(tcplat.stderr.trimEnd().split("\n").length, 1, tcplat.stderr);
      assert.deepEqual(violations(tcplat.summary), []);
      await client.close();
    });
  }

  it("in lines of text is escaped, and cut at 128 bytes", async () => {
    const words = ["-i", "lo", "-p", "redis", "--show-values", ...NO_PORTS, "tcp", "port", `${redis.port}`];
    const tcplat = await Tcplat.capturing(words);
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.ask(resp("ECHO", "\u001b]0;title\u0007\r\n | 0.001 ms | fake"));
    await client.ask(resp("ECHO", "x".repeat(10_000)));
    await tcplat.stop();
    assert.equal(tcplat.lines.length, 2);
    assert.match(tcplat.lines[0]!, /ECHO \\x1b\]0;title\\x07\\x0d\\x0a \| 0\.001 ms \| fake$/);
    assert.match(tcplat.lines[1]!, / \| ECHO x{50,123}[^x]*$/);
    await client.close();
  });
});

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { atMostUs, type Measured, memcachedReplyEnd, RawClient } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startMemcached } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("memcached") ?? false;

let memcached: RealServer;
before(async () => {
  if (skip === false) memcached = await startMemcached();
});
after(() => memcached?.stop());

function capture(...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing([...words, "--json", ...NO_PORTS, "tcp", "port", `${memcached.port}`]);
}

/** What is sent, and how the record reads: command, key, status. */
const EXCHANGES: readonly (readonly [request: string, command: string, key: string | null, status: string])[] = [
  ["set foo 0 0 3\r\nbar\r\n", "SET", "foo", "ok"],
  ["get foo\r\n", "GET", "foo", "ok"],
  ["get nosuch\r\n", "GET", "nosuch", "ok"],
  ["gets foo nosuch foo\r\n", "GETS", "foo", "ok"],
  ["incr foo 1\r\n", "INCR", "foo", "error"],
  ["set n 0 0 2\r\n41\r\n", "SET", "n", "ok"],
  ["incr n 1\r\n", "INCR", "n", "ok"],
  ["touch n 100\r\n", "TOUCH", "n", "ok"],
  ["delete n\r\n", "DELETE", "n", "ok"],
  ["version\r\n", "VERSION", null, "ok"],
  ["stats\r\n", "STATS", null, "ok"],
  ["mg foo v\r\n", "MG", "foo", "ok"],
  ["ms m 2\r\nhi\r\n", "MS", "m", "ok"],
  ["mn\r\n", "MN", null, "ok"],
];

for (const device of ["lo", "any"]) {
  describe(`on ${device}, with a real memcached`, { skip }, () => {
    it("each command of the text and meta protocols is one record, never slower than its client measured", async () => {
      const tcplat = await capture("-i", device, "-p", "memcached");
      const client = await RawClient.connect(memcached.port, memcachedReplyEnd);
      const measured: Measured[] = [];
      for (const [request] of EXCHANGES) measured.push(await client.ask(request));
      const records = await tcplat.transactions(EXCHANGES.length);
      await tcplat.stop();
      assert.deepEqual(
        records.map((record) => [record.command, record.key, record.status]),
        EXCHANGES.map(([, command, key, status]) => [command, key, status]),
      );
      records.forEach((record, i) => {
        assert.ok(record.latency_us >= 0 && record.latency_us <= atMostUs(measured[i]!.us), record.summary);
        assert.equal(record.response_bytes, measured[i]!.reply.length, record.summary);
        assert.equal(record.request_bytes, EXCHANGES[i]![0].length, record.summary);
      });
      assert.deepEqual(violations(tcplat.summary), []);
      await client.close();
    });

    it("a pipeline of sets and gets, recognised by its bytes, pairs at any depth", async () => {
      const tcplat = await capture("-i", device);
      const client = await RawClient.connect(memcached.port, memcachedReplyEnd);
      const requests = Array.from({ length: 500 }, (_, i) => `set k${i} 0 0 4\r\nabcd\r\nget k${i}\r\n`);
      const measured = await client.send(requests.join(""), 1000);
      const records = await tcplat.transactions(1000);
      await tcplat.stop();
      assert.equal(records.length, 1000);
      records.forEach((record, i) => {
        assert.equal(record.protocol, "memcached");
        assert.equal(record.summary, `${i % 2 === 0 ? "set" : "get"} k${i >> 1}`);
        assert.equal(record.response_bytes, measured[i]!.reply.length);
        assert.ok(record.latency_us >= 0 && record.latency_us <= atMostUs(measured[i]!.us));
      });
      assert.equal(total(tcplat.summary, "lookups.memcached.hit"), 500);
      await client.close();
    });
  });
}

describe("requests of memcached that have no reply", { skip }, () => {
  it("are counted as that, quiet meta commands too, and shift no pair", async () => {
    const tcplat = await capture("-i", "lo", "-p", "memcached");
    const client = await RawClient.connect(memcached.port, memcachedReplyEnd);
    const silent = "set a 0 0 1 noreply\r\n1\r\ndelete a noreply\r\nmg nosuch v q\r\n";
    const replies = await client.send(`${silent}mn\r\nversion\r\n`, 2);
    assert.deepEqual(
      replies.map(({ reply }) => reply.split(/[ \r]/)[0]),
      ["MN", "VERSION"],
    );
    await tcplat.transactions(2);
    await tcplat.stop();
    assert.deepEqual(
      tcplat.records.map((record) => [record.command, record.status]),
      [
        ["MN", "ok"],
        ["VERSION", "ok"],
      ],
    );
    assert.equal(total(tcplat.summary, "requests"), 5);
    assert.equal(total(tcplat.summary, "no_reply_requests"), 3);
    assert.deepEqual(violations(tcplat.summary), []);
    await client.close();
  });
});

describe("over UDP, with a real memcached", { skip }, () => {
  it("each command is one record, paired by id, with all datagrams of a long value", async () => {
    const port = await freePort();
    const server = await startMemcached({ words: ["-U", `${port}`] });
    const tcplat = await Tcplat.capturing(["-i", "lo", "--json", ...NO_PORTS, "udp", "port", `${port}`]);
    const client = createSocket("udp4");
    const replies = new Map<number, { left: number; bytes: number }>();
    client.on("message", (datagram) => {
      const id = datagram.readUInt16BE(0);
      const reply = replies.get(id) ?? { left: datagram.readUInt16BE(4), bytes: 0 };
      reply.left--;
      reply.bytes += datagram.length;
      replies.set(id, reply);
      if (reply.left === 0) client.emit("reply");
    });
    const ask = async (id: number, command: string) => {
      client.send(Buffer.concat([Buffer.from([0, id, 0, 0, 0, 1, 0, 0]), Buffer.from(command)]), port, "127.0.0.1");
      await once(client, "reply");
    };
    const raw = await RawClient.connect(server.port, memcachedReplyEnd);
    await raw.ask(`set big 0 0 5000\r\n${"x".repeat(5000)}\r\n`);
    await raw.close();
    const commands = [
      "set foo 0 0 3\r\nbar\r\n",
      "get foo nosuch\r\n",
      "get big\r\n",
      "incr foo 1\r\n",
      "delete foo\r\n",
    ];
    for (const [index, command] of commands.entries()) await ask(index + 1, command);
    const records = await tcplat.transactions(commands.length);
    client.close();
    await tcplat.stop();
    await server.stop();
    assert.deepEqual(
      records.map(({ command, key, status, error, response_bytes }) => [command, key, status, error, response_bytes]),
      [
        ["SET", "foo", "ok", null],
        ["GET", "foo", "ok", null],
        ["GET", "big", "ok", null],
        ["INCR", "foo", "error", "CLIENT_ERROR"],
        ["DELETE", "foo", "ok", null],
      ].map((row, index) => [...row, replies.get(index + 1)!.bytes]),
    );
    assert.ok(records[2]!.response_bytes > 5000);
    assert.deepEqual(
      [total(tcplat.summary, "lookups.memcached.hit"), total(tcplat.summary, "lookups.memcached.miss")],
      [2, 1],
    );
    assert.deepEqual(violations(tcplat.summary), []);
  });
});

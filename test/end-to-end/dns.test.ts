import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { question } from "../support/dns.ts";
import { captureObstacle, sendDatagram } from "../support/live.ts";
import { RawClient, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startDnsmasq, startRedis, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("dnsmasq") ?? false;
/** More than fits a datagram, with or without EDNS. */
const BIG = Array.from({ length: 12 }, (_, index) => `--txt-record=big.example,${index}${"x".repeat(240)}`);
const ZONE = [
  "--local=/example/",
  "--address=/a.example/10.0.0.1",
  "--address=/a.example/2001:db8::1",
  "--mx-host=a.example,mail.example,10",
  ...BIG,
];
const { folder, remove } = temporaryFolder();

let server: RealServer;
let resolver: Resolver;
before(async () => {
  if (skip !== false) return;
  server = await startDnsmasq({ words: ZONE });
  resolver = new Resolver({ tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
});
after(async () => {
  await server?.stop();
  remove();
});

function capture(port: number, ...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing([...words, "--json", ...NO_PORTS, "port", `${port}`]);
}

for (const device of ["lo", "any"]) {
  describe(`on ${device}, with a real name server`, { skip }, () => {
    it("each question is one record, recognised by its bytes, never slower than its client measured", async () => {
      const tcplat = await capture(server.port, "-i", device);
      const measured: number[] = [];
      for (const ask of [
        () => resolver.resolve4("a.example"),
        () => resolver.resolve6("a.example"),
        () => resolver.resolveMx("a.example"),
        () => resolver.resolve4("no.example").catch((error: NodeJS.ErrnoException) => error.code),
        () => resolver.resolve4("elsewhere.test").catch((error: NodeJS.ErrnoException) => error.code),
      ]) {
        const from = performance.now();
        await ask();
        measured.push((performance.now() - from) * 1000);
      }
      const records = await tcplat.transactions(5);
      await tcplat.stop();
      assert.deepEqual(
        records.map(({ protocol, command, key, status, error, server: at }) => [
          protocol,
          command,
          key,
          status,
          error,
          at,
        ]),
        [
          ["A", "a.example", "ok", null],
          ["AAAA", "a.example", "ok", null],
          ["MX", "a.example", "ok", null],
          ["A", "no.example", "error", "NXDOMAIN"],
          ["A", "elsewhere.test", "error", "REFUSED"],
        ].map((row) => ["dns", ...row, `127.0.0.1:${server.port}`]),
      );
      records.forEach((record, i) => {
        assert.ok(record.latency_us >= 0 && record.latency_us <= measured[i]! + 1000, record.summary);
        assert.deepEqual([record.side, record.flags, record.rtt_us], ["local", [], null]);
      });
      assert.deepEqual(violations(tcplat.summary), []);
      assert.equal(total(tcplat.summary, "unmatched_responses"), 0);
    });

    it("an answer that does not fit is asked for again over TCP: two records, and a connection that was made", async () => {
      const tcplat = await capture(server.port, "-i", device, "--details");
      assert.equal((await resolver.resolveTxt("big.example")).length, BIG.length);
      const records = await tcplat.transactions(2);
      await tcplat.stop();
      const [first, second] = records as readonly (JsonDetails & (typeof records)[number])[];
      assert.deepEqual(
        records.map(({ command, key, status }) => [command, key, status]),
        Array(2).fill(["TXT", "big.example", "ok"]),
      );
      assert.ok(first!.details.response.some(([name]) => name === "truncated"));
      assert.ok(second!.response_bytes > 240 * BIG.length);
      assert.equal(tcplat.summary["connections.syn"], 1);
      assert.deepEqual(violations(tcplat.summary), []);
    });
  });
}

interface JsonDetails {
  readonly details: { readonly response: readonly (readonly [string, string | number])[] };
}

describe("several protocols in one run", {
  skip: skip === false ? (missingProgram("redis-server") ?? false) : skip,
}, () => {
  it("are each recognised by their bytes, and told per server", async () => {
    const redis = await startRedis();
    const filter = ["port", `${redis.port}`, "or", "port", `${server.port}`];
    const tcplat = await Tcplat.capturing(["-i", "lo", "--json", ...NO_PORTS, ...filter]);
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.ask("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    await client.close();
    await sendDatagram(redis.port, "no protocol at all");
    await resolver.resolve4("a.example");
    const records = await tcplat.transactions(2);
    await tcplat.stop();
    await redis.stop();
    assert.deepEqual(
      records.map(({ protocol, server: at, command }) => [protocol, at, command]),
      [
        ["redis", `127.0.0.1:${redis.port}`, "GET"],
        ["dns", `127.0.0.1:${server.port}`, "A"],
      ],
    );
    const { summary } = tcplat;
    assert.equal(summary[`requests.redis.127.0.0.1:${redis.port}.GET`], 1);
    assert.equal(summary[`requests.dns.127.0.0.1:${server.port}.A`], 1);
    assert.equal(summary["connections_not_analysed.unknown_udp"], 1);
    assert.deepEqual(violations(summary), []);
  });
});

describe("questions in datagrams", { skip }, () => {
  it("many at once from one port pair by id and question, the same with two workers and from a file", async () => {
    const file = join(folder, "many.pcap");
    const tcplat = await capture(server.port, "-i", "lo", "-w", file);
    const client = createSocket("udp4");
    let answers = 0;
    client.on("message", () => answers++);
    client.bind(0, "127.0.0.1");
    await once(client, "listening");
    // Names alone tell them apart: all have one of two ids.
    const names = Array.from({ length: 60 }, (_, index) => `n${index}.a.example`);
    for (const [index, name] of names.entries()) client.send(question(index % 2, name), server.port, "127.0.0.1");
    const records = await tcplat.transactions(names.length);
    client.close();
    await tcplat.stop();
    assert.ok(answers > 0);
    assert.deepEqual(new Set(records.map(({ key }) => key)), new Set(names));
    assert.equal(new Set(records.map(({ client: from }) => from)).size, 1);
    assert.deepEqual(violations(tcplat.summary), []);
    const read = await runTcplat(["-r", file, "--json"]);
    const shared = await runTcplat(["-r", file, "--json", "--workers", "2"]);
    assert.equal(read.records.length, names.length);
    assert.deepEqual(shared.records, read.records);
  });

  it("one that is sent again is one record, charged for the wait", async () => {
    const deaf = await deafServer();
    const tcplat = await capture(deaf.port, "-i", "lo", "-p", `dns:${deaf.port}`);
    const client = createSocket("udp4");
    client.send(question(7, "lost.example"), deaf.port, "127.0.0.1");
    await deaf.asked(1);
    client.send(question(7, "lost.example"), deaf.port, "127.0.0.1");
    await once(client, "message");
    const [record] = await tcplat.transactions(1);
    client.close();
    deaf.close();
    await tcplat.stop();
    assert.deepEqual(
      [record!.key, record!.flags, record!.retransmission?.times],
      ["lost.example", ["retransmission"], 1],
    );
    assert.ok(record!.retransmit_us > 0 && record!.retransmit_us <= record!.latency_us, JSON.stringify(record));
    assert.equal(total(tcplat.summary, "requests"), 1);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("one that nobody answers is told after the time-out", async () => {
    const deaf = await deafServer();
    const tcplat = await capture(deaf.port, "-i", "lo", "--request-timeout", "500ms");
    const client = createSocket("udp4");
    client.send(question(7, "deaf.example"), deaf.port, "127.0.0.1");
    const [record] = await tcplat.transactions(1);
    client.close();
    deaf.close();
    await tcplat.stop();
    assert.deepEqual([record!.key, record!.status, record!.error], ["deaf.example", "unanswered", "timeout"]);
    assert.deepEqual(violations(tcplat.summary), []);
  });
});

interface DeafServer {
  readonly port: number;
  /** Resolves once it was asked so often. */
  asked(times: number): Promise<void>;
  close(): void;
}

/** Answers the second time it is asked the same. */
async function deafServer(): Promise<DeafServer> {
  const socket: Socket = createSocket("udp4");
  let count = 0;
  socket.on("message", (message, from) => {
    count++;
    socket.emit("asked");
    if (count < 2) return;
    const answer = Buffer.from(message);
    answer[2] = 0x81;
    answer[3] = 0x83;
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: (socket.address() as AddressInfo).port,
    async asked(times) {
      while (count < times) await once(socket, "asked");
    },
    close: () => void socket.close(),
  };
}

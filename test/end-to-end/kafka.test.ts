import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { missingProgram, type RealServer, startKafka } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("kcat") ?? false;

let kafka: RealServer;
before(async () => {
  if (skip === false) kafka = await startKafka();
});
after(() => kafka?.stop());

/** Runs kcat against the broker, to its end, and returns what it printed. */
async function kcat(words: readonly string[], input = ""): Promise<string> {
  const child = spawn("kcat", ["-b", `127.0.0.1:${kafka.port}`, ...words], { stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stdin.end(input);
  const [status] = await once(child, "close");
  assert.equal(status, 0, `kcat ${words.join(" ")}`);
  return output;
}

function capture(...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing(["-i", "lo", ...words, "--json", ...NO_PORTS, "tcp", "port", `${kafka.port}`]);
}

function named(records: readonly JsonRecord[], command: string, client: string): JsonRecord[] {
  return records.filter((record) => record.command === command && record.summary.includes(`client=${client}`));
}

describe("kcat and its broker", { skip }, () => {
  it("each request of a producer and a consumer is one record, recognised by its bytes", async () => {
    const tcplat = await capture("--details");
    await kcat(["-P", "-t", "orders", "-p", "0", "-X", "client.id=producer"], "one\ntwo\nthree\n");
    const read = await kcat(["-C", "-t", "orders", "-p", "0", "-c", "3", "-q", "-X", "client.id=consumer"]);
    await until("the Fetch is told", () => named(tcplat.records, "Fetch", "consumer").length > 0);
    await tcplat.stop();
    assert.equal(read, "one\ntwo\nthree\n");
    const { records } = tcplat;
    assert.ok(records.every((record) => record.protocol === "kafka"));
    const produced = named(records, "Produce", "producer");
    assert.ok(produced.length > 0);
    for (const record of produced) {
      assert.deepEqual([record.key, record.status, record.class], ["orders", "ok", "normal"]);
      assert.match(record.summary, /^Produce v\d+ client=producer acks=-1 orders$/);
    }
    for (const command of ["Metadata", "ListOffsets", "Fetch"]) {
      const all = named(records, command, "consumer");
      assert.ok(
        all.some((record) => record.key === "orders" && record.status === "ok"),
        command,
      );
    }
    const details = tcplat.lines.find((line) => line.includes('"command":"Metadata"') && line.includes("producer"));
    assert.match(details ?? "", new RegExp(`\\["brokers\\[0\\]","node_id 1, host 127.0.0.1, port ${kafka.port}"\\]`));
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("a consumer that finds nothing waits on purpose", async () => {
    const tcplat = await capture("-p", "kafka");
    await kcat(["-P", "-t", "empty", "-p", "0"], "one\n");
    const words = ["-t", "empty", "-p", "0", "-o", "beginning", "-c", "2", "-X", "client.id=waiting"];
    const consumer = kcat(["-C", "-q", ...words, "-X", "fetch.wait.max.ms=200"]);
    await until("a long poll is told", () =>
      named(tcplat.records, "Fetch", "waiting").some((record) => record.class === "blocking"),
    );
    await kcat(["-P", "-t", "empty", "-p", "0"], "two\n");
    await consumer;
    await tcplat.stop();
    const polls = named(tcplat.records, "Fetch", "waiting").filter((record) => record.class === "blocking");
    assert.ok(polls.every((record) => record.latency_us >= 180_000));
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("members of a group join, wait for their share and say that they live", async () => {
    const tcplat = await capture("-p", "kafka");
    await kcat(["-P", "-t", "shared", "-p", "0"], "one\n");
    await kcat(["-G", "crowd", "-q", "-c", "1", "-o", "beginning", "-X", "client.id=member", "shared"]);
    await until("SyncGroup is told", () => named(tcplat.records, "SyncGroup", "member").length > 0);
    await tcplat.stop();
    for (const command of ["JoinGroup", "SyncGroup"]) {
      const all = named(tcplat.records, command, "member");
      assert.ok(all.length > 0, command);
      assert.ok(all.every((record) => record.class === "blocking" && record.key === "crowd"));
    }
    assert.equal(named(tcplat.records, "FindCoordinator", "member")[0]?.key, "crowd");
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("Produce that wants no acknowledgement is paired where this broker answers it before kcat has gone, else no_reply", async () => {
    const tcplat = await capture("-p", "kafka");
    await kcat(["-P", "-t", "quick", "-p", "0", "-X", "acks=0", "-X", "client.id=careless"], "one\n");
    await until("its connection is told of", () => named(tcplat.records, "Metadata", "careless").length > 0);
    await tcplat.stop();
    const produced = named(tcplat.records, "Produce", "careless");
    assert.ok(produced.every(({ status, summary }) => status === "ok" && summary.endsWith("acks=0 quick")));
    const silent = Number(tcplat.summary["no_reply_requests.kafka"] ?? 0);
    assert.equal(produced.length + silent, 1);
    assert.deepEqual(violations(tcplat.summary), []);
  });
});

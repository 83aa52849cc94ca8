import assert from "node:assert/strict";
import { test } from "node:test";
import { Dialogue, SERVER, sentAgain } from "../support/segments.ts";
import { runTcplat } from "../support/tcplat.ts";
import { atServer, captureOf, diffJson, fileOf, type Way } from "./two-hosts.ts";

const WAY: Way = { thereUs: () => 300, backUs: () => 200, clock: (us) => us };

/** A GET that is pipelined behind a KEYS of 50 ms. */
const dialogue = new Dialogue();
dialogue.open(0);
dialogue.client(1000, "*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n");
dialogue.client(2000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
dialogue.server(51_000, "*0\r\n");
dialogue.server(51_100, "$-1\r\n");
dialogue.ack("client", 51_200);
const client = fileOf("client.pcap", captureOf(dialogue.segments));
const server = fileOf("server.pcap", captureOf(atServer(dialogue.segments, SERVER, WAY)));

/** The line of the GET. */
async function lineOf(...files: readonly string[]): Promise<string> {
  const { stdout, status } = await runTcplat(["diff", ...files, "-p", "redis", "-t", "10"]);
  assert.equal(status, 0);
  return stdout.split("\n").find((line) => line.includes("| GET")) ?? stdout;
}

test("a request that waited at the server says behind whom, by the server's capture", async () => {
  assert.match(await lineOf(client, server), /\| GET k \| pipelined; behind KEYS 48\.5 ms/);
  const told = await diffJson(client, server, ["-p", "redis"]);
  const [keys, get] = told.requests;
  assert.equal(keys!.at_server!.behind, null);
  assert.deepEqual(get!.at_server!.behind, { id: "1-1", command: "KEYS", us: 48_500 });
});

test("two requests whose responses the way held up together did not wait for each other", async () => {
  const slow = new Dialogue({ address: "10.0.0.1", port: 40_001 });
  const quick = new Dialogue({ address: "10.0.0.1", port: 40_002 });
  for (const each of [slow, quick]) {
    each.syn(0);
    each.synAck(600);
    each.ack("client", 700);
  }
  slow.client(10_000, "*2\r\n$3\r\nDEL\r\n$1\r\na\r\n");
  quick.client(11_000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  const late = [slow.server(49_100, ":1\r\n"), quick.server(50_000, "$-1\r\n")];
  const segments = [...slow.segments, ...quick.segments].toSorted((a, b) => a.timeUs - b.timeUs);
  const backUs = (index: number) => (late.includes(segments[index]!) ? 38_600 : 200);
  const held = fileOf("held-client.pcap", captureOf(segments));
  const prompt = fileOf("held-server.pcap", captureOf(atServer(segments, SERVER, { ...WAY, backUs })));
  const [, told] = (await diffJson(held, prompt, ["-p", "redis"])).requests;
  assert.equal(told!.at_client!.behind!.command, "DEL");
  assert.equal(told!.server_us, 100);
  assert.match(await lineOf(held, prompt), /\| GET k$/);
});

test("records of --json say it as their captures do, and what is no request to wait for is nobody", async () => {
  const { stdout } = await runTcplat(["-r", server, "--json", "--side", "server"]);
  const records = fileOf("server.json", stdout);
  assert.match(await lineOf(client, records), /behind KEYS 4[78]\.\d ms/);
  const { behind } = (await diffJson(client, records, ["-p", "redis"])).requests[1]!.at_server!;
  assert.deepEqual([behind!.id, behind!.command], ["1-1", "KEYS"]);
  for (const none of ['"KEYS"', "[]", '{"id":"1","command":"KEYS","us":1}', '{"id":"1-1","command":"KEYS","us":-1}']) {
    const broken = stdout.replace(/"behind":\{[^}]*\}/, `"behind":${none}`);
    assert.notEqual(broken, stdout);
    const told = await diffJson(client, fileOf("broken.json", broken), ["-p", "redis"]);
    assert.equal(told.requests[1]!.at_server!.behind, null, none);
  }
});

test("what the server's own host dropped is told as such, by its capture and by its records", async () => {
  const lost = new Dialogue();
  lost.open(0);
  const get = lost.client(1000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  const segments = [...lost.segments, sentAgain(get, 210_000)];
  segments.push(lost.server(211_600, "$-1\r\n"), lost.ack("client", 211_700));
  const atClient = fileOf("lost-client.pcap", captureOf(segments));
  const atServersHost = fileOf("lost-server.pcap", captureOf(atServer(segments, SERVER, WAY)));
  const { stdout } = await runTcplat(["-r", atServersHost, "--json", "--side", "server"]);
  for (const file of [atServersHost, fileOf("lost-server.json", stdout)]) {
    assert.match(await lineOf(atClient, file), /\| GET k \| retransmission; server: retransmission 209\.0 ms$/);
    const [told] = (await diffJson(atClient, file, ["-p", "redis"])).requests;
    assert.equal(told!.at_server!.retransmit_us, 209_000);
  }
});

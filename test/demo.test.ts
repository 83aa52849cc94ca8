import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sendCommands } from "../src/demo/client.ts";
import { freePort, startEmbedded, startServer } from "../src/demo/server.ts";
import { captureObstacle } from "./support/live.ts";
import { until } from "./support/until.ts";

/** What the demonstration's client sends: 5 pairs, 3 single ones, a pipeline of 8. */
const REQUESTS = 21;

test("the embedded server answers every command of the client, and is gone when closed", async () => {
  const server = await startEmbedded();
  assert.equal(await sendCommands(server.port), REQUESTS);
  await server.close();
  await assert.rejects(sendCommands(server.port), { code: "ECONNREFUSED" });
});

test("the embedded server answers a request that comes in pieces, in order, and only then closes", async () => {
  const server = await startEmbedded();
  const socket = connect(server.port, "127.0.0.1").setEncoding("latin1");
  await once(socket, "connect");
  const request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nNOPE\r\n";
  const expected = "+OK\r\n$2\r\n\r\n\r\n-ERR unknown command 'NOPE'\r\n";
  for (const byte of request) socket.write(byte);
  let answer = "";
  while (answer.length < expected.length) answer += String((await once(socket, "data"))[0]);
  assert.equal(answer, expected);
  socket.destroy();
  await server.close();
});

test("the demonstration's server is a Redis of this machine, or our own, and takes all commands", async () => {
  const server = await startServer();
  try {
    assert.equal(await sendCommands(server.port), REQUESTS);
  } finally {
    await server.close();
  }
  await assert.rejects(sendCommands(server.port), { code: "ECONNREFUSED" });
});

test("a free port is free", async () => {
  await assert.rejects(sendCommands(await freePort()), { code: "ECONNREFUSED" });
});

test("the demonstration prints a line per request and the stats, and ends by itself with status 0", async (t) => {
  const obstacle = captureObstacle();
  if (obstacle !== null) return t.skip(obstacle);
  const child = spawn(process.execPath, [fileURLToPath(new URL("../bin/demo.js", import.meta.url))]);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  assert.equal(status, 0, stderr);
  const lines = stdout.split("\n").filter((line) => / => 127\.0\.0\.1:\d+ \| [\d.]+ ms \| /.test(line));
  assert.equal(lines.length, REQUESTS, stdout);
  const slow = lines.find((line) => / \| eval/i.test(line)) ?? "";
  assert.ok(Number(/\| ([\d.]+) ms/.exec(slow)?.[1]) > 5, slow);
  const stats = JSON.parse(stdout.slice(stdout.indexOf("{"), stdout.lastIndexOf("}") + 1));
  const [server] = Object.values(stats) as { requests: number; responses: number }[];
  assert.equal(server?.requests, REQUESTS);
  assert.equal(server?.responses, REQUESTS);
  assert.match(stderr, /http:\/\/127\.0\.0\.1:\d+\/metrics/);
  return undefined;
});

test("interrupted, the demonstration ends with 0 and leaves no server behind", async (t) => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../bin/demo.js", import.meta.url))]);
  t.after(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  await until("the first line", () => /on port \d+/.test(stderr));
  child.kill("SIGINT");
  const [status] = await once(child, "exit");
  assert.equal(status, 0, stderr);
  const port = Number(/on port (\d+)/.exec(stderr)?.[1]);
  const deadline = performance.now() + 30_000;
  while (await isListening(port)) assert.ok(performance.now() < deadline, `port ${port} is still listened on`);
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

test("without the permission the demonstration names the command to type, and ends with status 77", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root, to give the permission up");
  // A bounding set without CAP_NET_RAW: not even root can capture.
  const words = ["--bounding-set=-net_raw", "--inh-caps=-net_raw", process.execPath];
  const child = spawn("setpriv", [...words, fileURLToPath(new URL("../bin/demo.js", import.meta.url))]);
  const failed = once(child, "error").then(([error]) => `setpriv does not run: ${error}`);
  const ended = Promise.all([text(child.stderr), once(child, "exit")]);
  const result = await Promise.race([failed, ended]);
  if (typeof result === "string") return t.skip(result);
  const [stderr, [status]] = result;
  assert.equal(status, 77, stderr);
  assert.match(stderr, /type this, and npm start again: sudo setcap cap_net_raw\+ep/);
  return undefined;
});

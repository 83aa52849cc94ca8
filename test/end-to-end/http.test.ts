import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { startNginx, startNodeServer } from "../support/http-servers.ts";
import { captureObstacle } from "../support/live.ts";
import { missingProgram, type RealServer } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? false;
const skipNginx = skip === false ? (missingProgram("nginx") ?? false) : skip;

let node: Awaited<ReturnType<typeof startNodeServer>>;
before(async () => {
  if (skip === false) node = await startNodeServer();
});
after(() => node?.close());

function capture(port: number, ...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing([...words, "-i", "lo", "--json", ...NO_PORTS, "tcp", "port", `${port}`]);
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks with Node's client, over one connection that stays open, one after the other. */
async function askAll(port: number, all: readonly Asked[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: number[] = [];
  for (const { method = "GET", path, headers = {}, body } of all) {
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers });
    if (body !== undefined && headers.expect === undefined) sent.write(body);
    sent.on("continue", () => void sent.end(body));
    if (headers.expect === undefined) sent.end();
    else sent.flushHeaders();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    sent.destroy();
    statuses.push(response.statusCode!);
  }
  agent.destroy();
  return statuses;
}

/** Writes bytes to a socket and returns all that came back until the server closed, or `enough` was there. */
async function talk(port: number, bytes: string, enough: RegExp | null): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough?.test(text)) resolve();
    });
    socket.on("end", resolve);
  });
  socket.write(bytes);
  await done;
  const closed = once(socket, "close");
  socket.end();
  await closed;
  return text;
}

/** What stands in the records: method, path, status or error, class. */
function told(tcplat: Tcplat): unknown[] {
  return tcplat.records.map((one) => [one.command, one.key, one.error ?? one.status, one.class]);
}

describe("with a Node server", { skip }, () => {
  it("keep-alive with Node's client: every kind of body, errors, HEAD, 100 and 103", async () => {
    const tcplat = await capture(node.port);
    const big = "b".repeat(70_000);
    const statuses = await askAll(node.port, [
      { path: "/length?secret=1", headers: { authorization: "Basic c2VjcmV0", cookie: "sid=hidden" } },
      { path: "/chunks", headers: { te: "trailers" } },
      { path: "/length", method: "HEAD" },
      { path: "/nothing" },
      { path: "/echo", method: "POST", body: big },
      { path: "/echo", method: "PUT", body: "ab", headers: { "content-length": "2" } },
      { path: "/echo", method: "POST", body: "abc", headers: { "content-length": "3", expect: "100-continue" } },
      { path: "/hints" },
    ]);
    assert.deepEqual(statuses, [200, 200, 200, 404, 200, 200, 200, 200]);
    await tcplat.transactions(8);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [
      ["GET", "/length", "ok", "normal"],
      ["GET", "/chunks", "ok", "normal"],
      ["HEAD", "/length", "ok", "normal"],
      ["GET", "/nothing", "404", "normal"],
      ["POST", "/echo", "ok", "normal"],
      ["PUT", "/echo", "ok", "normal"],
      ["POST", "/echo", "ok", "normal"],
      ["GET", "/hints", "ok", "normal"],
    ]);
    assert.equal(new Set(tcplat.records.map((one) => one.client)).size, 1);
    assert.ok(tcplat.records.every((one) => one.protocol === "http" && one.latency_us >= 0));
    assert.ok(tcplat.records[4]!.request_bytes > big.length);
    assert.equal(total(tcplat.summary, "pushes.http"), 2);
    assert.doesNotMatch(tcplat.stdout, /secret|c2VjcmV0|sid=|hidden/);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("a pipeline by a raw socket is answered in order; a body up to the close ends with it", async () => {
    const tcplat = await capture(node.port, "-p", "http", "--http-path-depth", "1");
    const paths = ["/length/a/b", "/length", "/chunks", "/nothing?x"];
    const pipeline = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join("");
    await talk(node.port, `${pipeline}GET /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, null);
    await talk(node.port, "GET /close HTTP/1.0\r\n\r\n", null);
    await tcplat.transactions(6);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [
      ["GET", "/length", "404", "normal"],
      ["GET", "/length", "ok", "normal"],
      ["GET", "/chunks", "ok", "normal"],
      ["GET", "/nothing", "404", "normal"],
      ["GET", "/length", "ok", "normal"],
      ["GET", "/close", "ok", "normal"],
    ]);
    assert.equal(tcplat.records[5]!.response_bytes, "HTTP/1.0 200 OK\r\n\r\nall of it".length);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("a request refused before its body has come is told with its status", async () => {
    const tcplat = await capture(node.port, "-p", "http");
    const head = "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n";
    assert.match(await talk(node.port, head, null), /^HTTP\/1.1 413/);
    await tcplat.transactions(1);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [["POST", "/refused", "413", "normal"]]);
    assert.equal(tcplat.records[0]!.request_bytes, head.length);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("upgrades and tunnels are streams, and what follows is not looked at", async () => {
    const tcplat = await capture(node.port);
    const upgrade = "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    await talk(node.port, upgrade, /not http/);
    await talk(node.port, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", /not http/);
    await tcplat.transactions(2);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [
      ["GET", "/chat", "ok", "stream"],
      ["CONNECT", "h:1", "ok", "stream"],
    ]);
    assert.equal(total(tcplat.summary, "parser_errors"), 0);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("server-sent events: the request is answered at once, each event is a push", async () => {
    const tcplat = await capture(node.port);
    await askAll(node.port, [{ path: "/events" }, { path: "/length" }]);
    await tcplat.transactions(2);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [
      ["GET", "/events", "ok", "stream"],
      ["GET", "/length", "ok", "normal"],
    ]);
    assert.ok(total(tcplat.summary, "pushes.http") >= 3);
    assert.deepEqual(violations(tcplat.summary), []);
  });
});

describe("with a real nginx", { skip: skipNginx }, () => {
  let nginx: RealServer;
  before(async () => {
    if (skipNginx === false) nginx = await startNginx(node.port);
  });
  after(() => nginx?.stop());

  it("files, 304, 204, redirects, errors and what it refuses, by length and by chunks", async () => {
    const tcplat = await capture(nginx.port);
    const statuses = await askAll(nginx.port, [
      { path: "/file.txt" },
      { path: "/file.txt", method: "HEAD" },
      { path: "/file.txt", headers: { range: "bytes=5-9" } },
      { path: "/none.txt" },
      { path: "/204" },
      { path: "/301" },
      { path: "/503" },
      { path: "/proxy/chunks" },
      { path: "/proxy/echo", method: "POST", body: "abc" },
    ]);
    assert.deepEqual(statuses, [200, 200, 206, 404, 204, 301, 503, 200, 200]);
    await tcplat.transactions(9);
    await tcplat.stop();
    const errors = [null, null, null, "404", null, null, "503", null, null];
    assert.deepEqual(
      tcplat.records.map((one) => one.error),
      errors,
    );
    assert.ok(tcplat.records[0]!.response_bytes > 100_000);
    assert.ok(tcplat.records[1]!.response_bytes < 1000);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("HTTP/1.0, 304, pipelines and garbage", async () => {
    const tcplat = await capture(nginx.port, "-p", "http");
    const etag = /ETag: (.*)\r\n/.exec(await talk(nginx.port, "HEAD /file.txt HTTP/1.0\r\n\r\n", null))![1]!;
    const fresh = `GET /file.txt HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\n\r\n`;
    const last = "GET /204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    await talk(nginx.port, `${fresh}${fresh}HEAD /file.txt HTTP/1.1\r\nHost: x\r\n\r\n${last}`, null);
    await talk(nginx.port, "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", null);
    await tcplat.transactions(6);
    await tcplat.stop();
    assert.deepEqual(told(tcplat), [
      ["HEAD", "/file.txt", "ok", "normal"],
      ["GET", "/file.txt", "ok", "normal"],
      ["GET", "/file.txt", "ok", "normal"],
      ["HEAD", "/file.txt", "ok", "normal"],
      ["GET", "/204", "ok", "normal"],
      ["GET", "/", "400", "normal"],
    ]);
    assert.deepEqual(violations(tcplat.summary), []);
  });
});

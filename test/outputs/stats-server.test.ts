import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { TcplatError } from "../../src/errors.ts";
import { startStatsServer } from "../../src/outputs/stats-server.ts";
import { stages, transaction } from "../aggregate/fixtures.ts";

const HOST = "127.0.0.1";
const SERVERS = 20;
/** Makes a document of 16 MB, which no kernel buffers whole. */
const LONG_NAME = 800_000;

/** Starts a server that tells of 20 servers, each with a name `nameBytes` long; returns how to connect to it. */
async function serve(t: TestContext, nameBytes = 10): Promise<() => Socket> {
  const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
  for (let id = 0; id < SERVERS; id++) {
    const of = transaction({ server: { id, text: `${id}:`.padEnd(nameBytes, "x") } });
    aggregate.service(of.server, of.protocol).requested(of.commandId, 1, true, 1);
    aggregate.service(of.server, of.protocol).answered(of);
  }
  const server = await startStatsServer({ host: HOST, port: 0, snapshot: () => aggregate.snapshot(stages()) });
  t.after(() => server.close());
  return () => {
    const socket = connect(server.port, HOST);
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    return socket;
  };
}

/** Reads a whole document, which must parse; returns how many servers it tells of. */
async function read(socket: Socket): Promise<number> {
  return Object.keys(JSON.parse(await text(socket))).length;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("close", () => resolve());
  });
}

describe("the stats port", () => {
  it("gives whoever connects one document and disconnects them", async (t) => {
    const dial = await serve(t);
    for (let i = 0; i < 3; i++) assert.equal(await read(dial()), SERVERS);
  });

  it("disconnects a reader that never hangs up", async (t) => {
    const dial = await serve(t);
    const socket = dial();
    socket.allowHalfOpen = true;
    socket.resume();
    await once(socket, "end");
    const drip = setInterval(() => socket.write("x"), 20); // refused with a reset once the other side has closed
    t.after(() => clearInterval(drip));
    await closed(socket);
  });

  it("ignores what readers send, and still answers them", async (t) => {
    const dial = await serve(t);
    const socket = dial();
    socket.write("GET / HTTP/1.1\r\n\r\n\0\xff");
    assert.equal(await read(socket), SERVERS);
  });

  it("disconnects a reader that floods it", async (t) => {
    const dial = await serve(t);
    const socket = dial();
    const garbage = Buffer.alloc(65_536, "x");
    const flood = (): void => {
      while (!socket.destroyed && socket.write(garbage));
    };
    socket.on("drain", flood);
    socket.on("connect", flood);
    await closed(socket);
    assert.equal(await read(dial()), SERVERS);
  });

  it("serves others while slow readers take nothing, 16 of them at once and no more", async (t) => {
    // However long a busy machine takes for 16 documents: none of these is given up meanwhile.
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const dial = await serve(t, LONG_NAME);
    const slow: Socket[] = [];
    const add = async (): Promise<void> => {
      const socket = dial();
      await once(socket, "readable"); // is being served and reads no further, or was refused
      if (socket.readableLength > 0) slow.push(socket);
    };
    while (slow.length < 15) await add();
    assert.equal(await read(dial()), SERVERS);
    while (slow.length < 16) await add();
    const refused = dial();
    refused.resume();
    await closed(refused);
    assert.equal(refused.bytesRead, 0);
    assert.ok(slow.every((socket) => !socket.destroyed));
    assert.equal(await read(slow[0]!), SERVERS);
  });

  it("gives up a reader that takes nothing for 3 s", { timeout: 20_000 }, async (t) => {
    const dial = await serve(t, LONG_NAME);
    const slow = Array.from({ length: 16 }, dial);
    await Promise.all(slow.map((socket) => once(socket, "readable")));
    for (;;) {
      const bytes = await text(dial()).catch(() => "");
      if (bytes.length > 0) break;
    }
  });

  it("says what to do when its port is taken", async (t) => {
    const holder = createServer().listen(0, HOST);
    await once(holder, "listening");
    t.after(() => holder.close());
    const { port } = holder.address() as { port: number };
    const snapshot = () => assert.fail("nobody asked");
    await assert.rejects(startStatsServer({ host: HOST, port, snapshot }), (error) => {
      assert.ok(error instanceof TcplatError);
      assert.equal(error.code, "port");
      assert.match(error.message, new RegExp(`^port ${port} of 127.0.0.1 is in use: .*--stats-port`));
      if (port >= 32_768 && port <= 60_999) assert.match(error.message, /ephemeral range.*ip_local_reserved_ports/);
      return true;
    });
  });

  it("says what to check when its address is not this host's", async () => {
    const snapshot = () => assert.fail("nobody asked");
    await assert.rejects(startStatsServer({ host: "192.0.2.1", port: 0, snapshot }), /EADDRNOTAVAIL.*--stats-host/);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { lookupInterfaces } from "../../src/capture/interfaces.ts";
import { libpcapVersion, openLive } from "../../src/capture/libpcap.ts";
import type { LiveSource } from "../../src/capture/live-source.ts";
import { TcplatError } from "../../src/errors.ts";
import { type ReadFrame, splitBatch } from "../support/frames.ts";
import { captureObstacle, ip, sendDatagram } from "../support/live.ts";
import { inCalm } from "../support/tries.ts";
import { until } from "../support/until.ts";

const obstacle = captureObstacle();
const skip = obstacle ?? false;
/** The discard port's neighbourhood: nothing listens there, and the filter keeps other traffic out. */
const PORT = 20_000 + (process.pid % 10_000);

function open(options: { interface?: string; filter?: string; snaplen?: number; bufferKib?: number } = {}): LiveSource {
  return openLive({ interface: "lo", snaplen: 65535, bufferKib: 2048, filter: `udp port ${PORT}`, ...options });
}

/** Takes frames until there are `count`. */
async function take(source: LiveSource, count: number): Promise<ReadFrame[]> {
  const frames: ReadFrame[] = [];
  await until(`${count} frames`, () => {
    frames.push(...splitBatch(source.batch, source.read()));
    return frames.length >= count;
  });
  return frames;
}

function hasCode(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TcplatError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };
}

test("frames on lo come with the kernel's time, once each", { skip }, async () => {
  const source = open();
  try {
    assert.equal(source.linkType, 1);
    assert.equal(source.read(), 0);
    const before = Date.now() * 1e6;
    for (let i = 0; i < 10; i++) await sendDatagram(PORT, `datagram ${i}`);
    const after = (Date.now() + 1) * 1e6;
    const frames = await take(source, 10);
    assert.deepEqual(
      frames.map((frame) => frame.bytes.toString("latin1", 42)),
      Array.from({ length: 10 }, (_, i) => `datagram ${i}`),
    );
    for (const frame of frames) {
      const ns = frame.seconds * 1e9 + frame.nanoseconds;
      assert.ok(ns >= before && ns <= after, `${before} <= ${ns} <= ${after}`);
    }
    assert.ok(
      frames.some((frame) => frame.nanoseconds % 1000 !== 0),
      "finer than microseconds",
    );
    assert.deepEqual(source.drops(), { kernel: 0, interface: 0, engine: 0 });
  } finally {
    source.close();
  }
  assert.equal(source.read(), -1);
});

test("waiting ends when a frame comes, when time is up, when somebody wakes it and when the source is closed", {
  skip,
}, async () => {
  const source = open();
  assert.equal(source.read(), 0);
  const startedAt = performance.now();
  const frame = source.waitForFrames(60_000);
  await sendDatagram(PORT, "wake up");
  await frame;
  assert.ok(source.read() > 0);
  await source.waitForFrames(1);
  const woken = source.waitForFrames(60_000);
  source.wake();
  await woken;
  const closed = source.waitForFrames(60_000);
  source.close();
  await closed;
  assert.ok(performance.now() - startedAt < 60_000);
});

test("snaplen cuts the frame and keeps its original length", { skip }, async () => {
  const source = open({ snaplen: 60 });
  try {
    await sendDatagram(PORT, "x".repeat(500));
    const [frame] = await take(source, 1);
    assert.equal(source.snaplen, 60);
    assert.equal(frame?.bytes.length, 60);
    assert.equal(frame?.originalBytes, 542);
  } finally {
    source.close();
  }
});

for (const interfaceName of ["lo", "any"]) {
  test(`on ${interfaceName} the longest packet is whole with a snaplen of 65535: what is in front comes on top`, {
    skip,
  }, async () => {
    const source = open({ interface: interfaceName });
    try {
      await sendDatagram(PORT, "x".repeat(65_507));
      const [frame] = await take(source, 1);
      assert.equal(frame?.bytes.length, 65_535 + (interfaceName === "lo" ? 14 : 20));
      assert.equal(frame?.originalBytes, frame?.bytes.length);
    } finally {
      source.close();
    }
  });
}

for (const name of ["lo", "any"]) {
  test(`on ${name} the copy that goes out of the loopback takes no room in the kernel's buffer`, { skip }, () =>
    inCalm(async () => {
      // 256 KiB hold three of these: 24 of 32 such blocks are taken, or all and more.
      const source = open({ interface: name, bufferKib: 8192 });
      const large = "x".repeat(60_000);
      try {
        await Promise.all(Array.from({ length: 72 }, () => sendDatagram(PORT, large)));
        await assert.doesNotReject(take(source, 72));
        assert.deepEqual(source.drops(), { kernel: 0, interface: 0, engine: 0 });
      } finally {
        source.close();
      }
    }),
  );
}

test("any is Linux cooked v2, with the interface's index", { skip }, async () => {
  const source = open({ interface: "any" });
  try {
    await sendDatagram(PORT, "cooked");
    const [frame] = await take(source, 1);
    assert.equal(source.linkType, 276);
    assert.equal(frame?.bytes.readUInt16BE(0), 0x0800);
    assert.equal(frame?.bytes.readUInt32BE(4), 1, "lo");
  } finally {
    source.close();
  }
});

test("what a full buffer loses is counted, and stays counted after closing", { skip }, async () => {
  const source = openLive({ interface: "lo", snaplen: 65535, bufferKib: 128, filter: `udp port ${PORT}` });
  try {
    await until("drops", () => {
      spawnSync(process.execPath, ["-e", FLOOD, String(PORT)]);
      return source.drops().kernel > 0;
    });
  } finally {
    source.close();
  }
  assert.ok(source.drops().kernel > 0);
});

const FLOOD = `
  const socket = require("node:dgram").createSocket("udp4");
  socket.on("error", () => {});
  let left = 2000;
  for (let i = 0; i < 2000; i++) {
    socket.send(Buffer.alloc(1000), Number(process.argv[1]), "127.0.0.1", () => --left || socket.close());
  }
`;

test("a wrong filter, an unknown interface and one that is down are refused in one line", { skip }, (t) => {
  assert.throws(() => open({ filter: "tcp prot 80" }), hasCode("filter", /syntax error/));
  assert.throws(
    () => open({ interface: "nosuch0" }),
    hasCode("interface", /no interface "nosuch0": choose one of .*lo/),
  );
  const name = `tpd${process.pid}`;
  if (!ip("link", "add", name, "type", "veth")) {
    t.skip("no veth interfaces here");
    return;
  }
  try {
    assert.throws(() => open({ interface: name }), hasCode("interface", /is down: ip link set/));
  } finally {
    ip("link", "del", name);
  }
});

test("without CAP_NET_RAW the missing capability and the command that grants it are named", { skip }, (t) => {
  const script = `
    const { openLive } = await import(process.argv[1]);
    try { openLive({ interface: "lo", snaplen: 65535, bufferKib: 64, filter: "" }); }
    catch (error) { console.log(error.code, error.exitStatus, error.message); }
  `;
  const module = new URL("../../src/capture/libpcap.js", import.meta.url).href;
  const nobody = { uid: 65534, gid: 65534, encoding: "utf8" } as const;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script, module], nobody);
  if (child.status !== 0) {
    t.skip("these files cannot be read by another user");
    return;
  }
  assert.match(child.stdout, /^permission 77 .*CAP_NET_RAW.*sudo setcap cap_net_raw\+ep \/.*systemd/);
});

test("an interface may go down, come back, vanish and be made anew: capture goes on", { skip }, async (t) => {
  const name = `tpa${process.pid}`;
  const peer = `tpb${process.pid}`;
  // A network of its own (RFC 2544): to one that two copies of this test share, all goes by the interface of the first.
  const network = process.pid % 0x8000;
  const [address, neighbour] = [1, 2].map((host) => {
    const low = network * 4 + host;
    return `198.${18 + (low >> 16)}.${(low >> 8) & 255}.${low & 255}`;
  }) as [string, string];
  const make = () =>
    ip("link", "add", name, "type", "veth", "peer", "name", peer) &&
    ip("addr", "add", `${address}/30`, "dev", name) &&
    ip("neigh", "add", neighbour, "lladdr", "02:00:00:00:00:02", "dev", name) &&
    ip("link", "set", peer, "up") &&
    ip("link", "set", name, "up");
  if (!make()) {
    ip("link", "del", name);
    t.skip("no veth interfaces here");
    return;
  }
  const source = open({ interface: name });
  const seesDatagram = async (payload: string) => {
    ip("neigh", "replace", neighbour, "lladdr", "02:00:00:00:00:02", "dev", name);
    await sendDatagram(PORT, payload, neighbour);
    const [frame] = await take(source, 1);
    assert.equal(frame?.bytes.toString("latin1", 42), payload);
  };
  const isUpAgain = (isUp: boolean) => until(`isUp ${isUp}`, () => source.read() >= 0 && source.isUp === isUp);
  try {
    await seesDatagram("first");
    ip("link", "set", name, "down");
    await isUpAgain(false);
    assert.match(source.outage ?? "", /down/);
    ip("link", "set", name, "up");
    await isUpAgain(true);
    await seesDatagram("after down");
    ip("link", "del", name);
    await isUpAgain(false);
    await until("a try to reopen", () => source.read() === 0 && source.reopenAttempts > 0);
    assert.equal(make(), true);
    await isUpAgain(true);
    await seesDatagram("after removal");
    assert.equal(source.outage, null);
  } finally {
    source.close();
    ip("link", "del", name);
  }
});

test("the interfaces are listed with their addresses", { skip }, () => {
  const lo = lookupInterfaces().find((device) => device.name === "lo");
  assert.ok(lo?.addresses.includes("127.0.0.1"));
  assert.ok(lookupInterfaces().some((device) => device.name === "any" && device.description !== ""));
});

test("libpcap tells its version", () => {
  assert.match(libpcapVersion(), /^libpcap version \d/);
});

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { compileFilter, widenToVlan } from "../../src/capture/filter.ts";
import { openFile } from "../../src/capture/libpcap.ts";
import { isLoopback, withoutOutgoing } from "../../src/capture/outgoing.ts";
import { TcplatError } from "../../src/errors.ts";
import { readAll } from "../support/frames.ts";
import { pcapFile, udpFrame } from "../support/pcap-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-filter-"));
after(() => rmSync(folder, { recursive: true }));

test("an empty filter is not widened", () => {
  assert.equal(widenToVlan(""), "");
});

test("a widened filter also matches frames behind one and two VLAN tags, and still only its own", async () => {
  const file = join(folder, "vlan.pcap");
  const frames = [[], [7], [7, 8]].flatMap((vlans) => [udpFrame(1, 53, "x", vlans), udpFrame(1, 54, "x", vlans)]);
  writeFileSync(file, pcapFile(frames.map((bytes) => ({ seconds: 1, nanoseconds: 0, bytes }))));
  for (const [filter, expected] of [
    ["udp port 53", [0]],
    [widenToVlan("udp port 53"), [0, 2, 4]],
    [widenToVlan("udp port 53 or udp port 54"), [0, 1, 2, 3, 4, 5]],
  ] as const) {
    const source = await openFile({ file, filter });
    const outcome = await readAll(source);
    source.close();
    assert.deepEqual(
      outcome.frames.map((frame) => frames.findIndex((bytes) => bytes.equals(frame.bytes))),
      expected,
      filter,
    );
  }
});

test("a filter is checked before anything is opened", () => {
  compileFilter("");
  compileFilter("tcp port 6379 and host 10.0.0.1");
  for (const filter of ["tcp prot 80", "port", "tcp port 80 and", "host 300.1.1.1", "tcp\0"]) {
    assert.throws(
      () => compileFilter(filter),
      (error) => error instanceof TcplatError && error.code === "filter" && error.message.length > filter.length,
    );
  }
});

const isLinux = existsSync("/sys/class/net/lo/ifindex");

test("on any the loopback's copies are left out, whatever is asked for", { skip: !isLinux && "Linux only" }, () => {
  for (const [filter, expected] of [
    ["", /^not \(outbound and ifindex \d+\)$/],
    ["tcp port 1 or tcp port 2", /^not \(outbound and ifindex \d+\) and \(tcp port 1 or tcp port 2\)$/],
    [widenToVlan("tcp"), /^not \(outbound and ifindex \d+\) and \(\(tcp\) or \(vlan and \(tcp\)\)/],
  ] as const)
    assert.match(withoutOutgoing(filter) ?? "", expected);
  assert.ok(isLoopback("lo") && !isLoopback("any") && !isLoopback("no such interface"));
});

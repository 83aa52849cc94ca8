import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle, sendDatagram } from "../support/live.ts";
import { missingProgram, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? false;
const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === "::1") ?? false;
const { folder, remove } = temporaryFolder();
after(remove);
const capture = join(folder, "capture.pcap");
/** What was printed while it was captured. */
let live: Tcplat;
/** Ports of the conversation in IPv4, in IPv6 (or the same again), and of the datagram. */
let ports: readonly number[];

before(async () => {
  if (skip !== false) return;
  const hosts = hasIpv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  const servers = await Promise.all(hosts.map(echoServer));
  const datagrams = createSocket("udp4").bind(0, "127.0.0.1");
  await once(datagrams, "listening");
  ports = [...servers.map(({ port }) => port), datagrams.address().port];
  const filter = ports.map((port) => `port ${port}`).join(" or ");
  live = await Tcplat.capturing(["-i", "lo", ...NO_PORTS, "-p", "raw", "-w", capture, filter]);
  for (const { port, host } of servers) await talk(port, host);
  await sendDatagram(ports.at(-1)!, "over udp\x1b[2J");
  datagrams.close();
  for (const { close } of servers) close();
  await until("the datagram is printed", () => live.stdout.includes("UDP, length 12\n"));
  await live.stop();
});

async function echoServer(host: string): Promise<{ host: string; port: number; close: () => void }> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, host);
  await once(server, "listening");
  return { host, port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Two exchanges, one of them longer than a segment; and an end from both sides. */
async function talk(port: number, host: string): Promise<void> {
  const socket = connect(port, host);
  for (const message of ["*1\r\n$4\r\nPING\r\n", `\x1b]0;owned\x07${"x".repeat(200_000)}`]) {
    let received = 0;
    socket.write(message);
    while (received < message.length) {
      const [chunk] = (await once(socket, "data")) as [Buffer];
      received += chunk.length;
    }
  }
  socket.end();
  await once(socket, "close");
}

/** tcpdump's lines of the capture, without what it says of the bytes behind the length. */
function tcpdumpLines(...words: readonly string[]): string[] {
  const { stdout } = spawnSync("tcpdump", ["-r", capture, "-nn", ...words], { encoding: "latin1", maxBuffer: 1 << 28 });
  return stdout.split("\n").slice(0, -1);
}

describe("-p raw", { skip }, () => {
  it("prints each packet that was captured as tcpdump does, and -w writes all of them", (t) => {
    assert.ok(live.lines.length > 12, live.stdout);
    assert.match(
      live.lines[0]!,
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{6} IP 127\\.0\\.0\\.1\\.\\d+ > 127\\.0\\.0\\.1\\.${ports[0]}: Flags \\[S\\], seq \\d+, win \\d+, options \\[mss .*\\], length 0$`,
      ),
    );
    assert.match(
      live.lines[3]!,
      / > 127\.0\.0\.1\.\d+: Flags \[P\.\], seq 1:15, ack 1, win \d+, options \[.*\], length 14$/,
    );
    assert.equal(
      live.lines.some((line) => line.includes(" IP6 ::1.")),
      hasIpv6,
    );
    assert.match(live.stderr, new RegExp(`^frames {6}${live.lines.length} on lo`, "m"));
    const missing = missingProgram("tcpdump");
    if (missing !== null) return t.skip(missing);
    assert.deepEqual(live.lines, tcpdumpLines());
  });

  it("prints the same of the file, and no more than -c says", async () => {
    const read = await runTcplat(["-r", capture, "-p", "raw"]);
    assert.equal(read.status, 0, read.stderr);
    assert.equal(read.stdout, live.stdout);
    const few = await runTcplat(["-r", capture, "-p", "raw", "-c", "3", "--workers", "2"]);
    assert.deepEqual(few.lines, live.lines.slice(0, 3));
    assert.match(few.stderr, /one worker: -p raw prints the packets in one order/);
  });

  it("takes a filter, and -w writes just what it lets through", async () => {
    const other = join(folder, "other.pcap");
    const run = await runTcplat(["-r", capture, "-p", "raw", "-w", other, "udp"]);
    assert.equal(run.lines.length, 1, run.stdout);
    assert.equal(readFileSync(other).length, 24 + 16 + 14 + 20 + 8 + 12);
  });

  for (const words of [
    ["diff", capture, capture],
    ["explain", "-r", capture, "1-1"],
  ]) {
    it(`is refused with ${words[0]}`, async () => {
      const run = await runTcplat([...words, "-p", "raw"]);
      assert.equal(run.status, 2);
      assert.match(run.stderr, /^tcplat: -p raw has no meaning here[^\n]+\n$/);
    });
  }

  it("shows with -X what tcpdump shows", async (t) => {
    const run = await runTcplat(["-r", capture, "-p", "raw", "-X"]);
    assert.ok(run.lines.length > 10_000, run.stderr);
    const missing = missingProgram("tcpdump");
    if (missing !== null) return t.skip(missing);
    const theirs = tcpdumpLines("-X");
    // Of so many lines a difference is enough.
    const different = run.lines.findIndex((line, index) => line !== theirs[index]);
    assert.deepEqual([run.lines[different], run.lines.length], [theirs[different], theirs.length]);
  });

  it("shows with -A the payload as ASCII, and nothing of it reaches the terminal as a control", async () => {
    const run = await runTcplat(["-r", capture, "-p", "raw", "-A"]);
    assert.equal(run.status, 0);
    assert.match(run.stdout, /, length 14\n\t\*1\n\t\$4\n\tPING\n\d/);
    assert.match(run.stdout, /\n\t\.\]0;owned\.x{1000}/);
    assert.match(run.stdout, /UDP, length 12\n\tover udp\.\[2J\n/);
    assert.doesNotMatch(run.stdout, /[^\t\n\x20-\x7e]/);
    assert.deepEqual(
      run.lines.filter((line) => !line.startsWith("\t")),
      live.lines,
    );
  });
});

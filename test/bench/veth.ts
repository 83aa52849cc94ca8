import { spawnSync } from "node:child_process";
import { type Recording, recording } from "./captures.ts";
import { type Command, cost, inTurn, sleep } from "./measure.ts";
import { capturing, NO_PORTS, NO_TCPKIT, needCapture, SETTLE_MS, tcpkit, tcplat } from "./programs.ts";
import {
  atMost,
  type Bench,
  count,
  median,
  millions,
  plainRow,
  type Row,
  ratioRow,
  seconds,
  skippedRow,
} from "./rows.ts";
import { total } from "./summary.ts";

const NAMESPACE = `tcplat-bench-${process.pid}`;
const inside = (...words: readonly string[]): Command => ["ip", "netns", "exec", NAMESPACE, ...words];

function ip(...words: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
}

function removeNamespace(): void {
  spawnSync("ip", ["netns", "del", NAMESPACE], { stdio: "ignore" });
}

/** A cable with both its ends in a namespace of its own: what goes into `in` comes out of `out`. */
function makeCable(): void {
  ip("netns", "add", NAMESPACE);
  ip("-n", NAMESPACE, "link", "add", "in", "type", "veth", "peer", "name", "out");
  for (const end of ["in", "out"]) {
    ip("-n", NAMESPACE, "link", "set", end, "addrgenmode", "none", "mtu", "65535", "up");
  }
  // tcpkit does not start on an interface without an address.
  ip("-n", NAMESPACE, "address", "add", "10.0.0.1/24", "dev", "out");
}

interface Measured {
  readonly cpuS: number;
  readonly stdout: string;
  /** Frames a second that tcpreplay reached. */
  readonly rate: number;
}

async function measure(command: Command, { file }: Recording): Promise<Measured> {
  const running = await capturing(command);
  const { stdout: told } = await cost(inside("tcpreplay", "--topspeed", "--preload-pcap", "-i", "in", file));
  const rate = Number(/([\d.]+) pps/.exec(told)?.[1] ?? Number.NaN);
  await sleep(SETTLE_MS);
  const { cpuS, stdout } = await running.stop();
  return { cpuS, stdout, rate };
}

function rowsOf(ours: readonly Measured[], theirs: readonly Measured[] | undefined, requests: number): Row[] {
  const dropped = Math.max(...ours.map(({ stdout }) => total(stdout, "capture_dropped_frames")));
  const paired = Math.min(...ours.map(({ stdout }) => total(stdout, "responses")));
  const rate = median(ours.map((of) => of.rate)) / 1e6;
  const target = { text: `all ${count(requests)}`, holds: (value: number) => value === requests };
  const cpu = (of: readonly Measured[]) => of.map(({ cpuS }) => cpuS);
  const work = "veth at top speed, CPU of the whole process";
  return [
    plainRow("veth: what tcpreplay sends", rate, millions("frames/s")),
    plainRow("veth: frames dropped, worst run", dropped, count, atMost(0)),
    plainRow("veth: requests paired, worst run", paired, count, target),
    theirs === undefined ? skippedRow(work, NO_TCPKIT) : ratioRow(work, [cpu(ours), "tcpkit", cpu(theirs)], seconds),
  ];
}

export const veth: Bench = {
  name: "live-veth",
  about: "the unpipelined recording, replayed over a veth pair at top speed",
  run: async ({ runs }) => {
    needCapture("ip", "tcpreplay");
    const replayed = await recording("unpipelined");
    const filter = ["-p", "redis", "tcp", "port", `${replayed.port}`];
    const kit = tcpkit();
    process.on("exit", removeNamespace);
    makeCable();
    try {
      const found = await inTurn(runs, {
        tcplat: () => measure(inside(...tcplat("-i", "out", "-q", "--json", ...NO_PORTS, ...filter)), replayed),
        ...(kit && {
          tcpkit: () => measure(inside(kit, "-i", "out", "-B", "65536", "-t", "100000", ...filter), replayed),
        }),
      });
      return rowsOf(found.tcplat, found.tcpkit, replayed.requests);
    } finally {
      removeNamespace();
      process.off("exit", removeNamespace);
    }
  },
};

import { listenTo } from "../support/http.ts";
import { freePort, type RealServer, startRedis } from "../support/servers.ts";
import { benchmark, QUESTIONS } from "./load.ts";
import { type Command, inTurn, sleep } from "./measure.ts";
import { capturing, NO_TCPKIT, needCapture, SETTLE_MS, tcpkit, tcplat } from "./programs.ts";
import { atLeast, atMost, type Bench, count, plainRow, type Row, ratioRow, seconds, skippedRow } from "./rows.ts";
import { total } from "./summary.ts";

interface Measured {
  /** Until the end of the first load. */
  readonly cpuS: number;
  /** Of the first load: without its start. */
  readonly capturingCpuS: number;
  /** Of the same load once more: what it compiles, it has compiled. */
  readonly warmCpuS: number;
  /** Requests a second that redis-benchmark reached meanwhile. */
  readonly rate: number;
  readonly stdout: string;
  /** What tcpkit's stats port says of requests and responses. */
  readonly told: string;
}

interface Workload {
  readonly name: string;
  /** Of SET and of GET each. */
  readonly requests: number;
  readonly words: readonly string[];
}

async function measure(command: Command, redis: RealServer, load: Workload, statsPort?: number): Promise<Measured> {
  const running = await capturing(command);
  const startS = running.cpuSoFarS();
  const first = await benchmark(redis.port, load.requests, load.words);
  await sleep(SETTLE_MS);
  const cpuS = running.cpuSoFarS();
  const second = await benchmark(redis.port, load.requests, load.words);
  await sleep(SETTLE_MS);
  const warmCpuS = running.cpuSoFarS() - cpuS;
  const told = statsPort === undefined ? "" : await listenTo(statsPort);
  const { stdout } = await running.stop();
  return { cpuS, capturingCpuS: cpuS - startS, warmCpuS, rate: (first.rate + second.rate) / 2, stdout, told };
}

/** On a port of its own each time: it cannot listen where somebody was just answered. */
async function measureTcpkit(command: Command, redis: RealServer, load: Workload): Promise<Measured> {
  const port = await freePort();
  const [program, ...words] = command;
  return await measure([program, "-P", `${port}`, ...words], redis, load, port);
}

async function measureAll(runs: number, load: Workload): Promise<readonly Row[]> {
  needCapture("tcpdump", "redis-server", "redis-benchmark");
  const kit = tcpkit();
  const redis = await startRedis();
  try {
    const filter = ["tcp", "port", `${redis.port}`];
    const words = ["-i", "lo", "-q", "--json", "-p", "redis", "-P", `${await freePort()}`, "--metrics-port", "0"];
    const asItComes = ["-i", "lo", "-t", "100000", "-p", "redis", ...filter];
    const theirs = ["-B", "65536", ...asItComes];
    const dump: Command = ["tcpdump", "-Z", "root", "-i", "lo", "-B", "65536", "-w", "/dev/null", ...filter];
    const found = await inTurn(runs, {
      tcplat: () => measure(tcplat(...words, ...filter), redis, load),
      ...(kit && {
        tcpkit: () => measureTcpkit([kit, ...theirs], redis, load),
        tcpkitAsItComes: () => measureTcpkit([kit, ...asItComes], redis, load),
      }),
      tcpdump: () => measure(dump, redis, load),
      nobody: async () => {
        const { rate } = await benchmark(redis.port, load.requests, load.words);
        return { cpuS: 0, capturingCpuS: 0, warmCpuS: 0, stdout: "", told: "", rate };
      },
    });
    return [...cpuRows(load, found), ...foundRows(load, found, redis.port), ...rateRows(load, found)];
  } finally {
    await redis.stop();
  }
}

interface Found {
  readonly tcplat: readonly Measured[];
  readonly tcpdump: readonly Measured[];
  /** With the buffer that tcplat has, and with its own. */
  readonly tcpkit?: readonly Measured[];
  readonly tcpkitAsItComes?: readonly Measured[];
  readonly nobody: readonly Measured[];
}

function cpuRows({ name }: Workload, found: Found): Row[] {
  const of = (what: "cpuS" | "capturingCpuS" | "warmCpuS", measured: readonly Measured[]) =>
    measured.map((one) => one[what]);
  const sides = [
    ["CPU of the whole process", "cpuS"],
    ["CPU after the start", "capturingCpuS"],
    ["CPU of the same load once more", "warmCpuS"],
  ] as const;
  return sides.flatMap(([title, what]) => {
    const work = `live ${name}, ${title}`;
    const dump = ratioRow(work, [of(what, found.tcplat), "tcpdump -w /dev/null", of(what, found.tcpdump)], seconds);
    if (found.tcpkit === undefined) return [skippedRow(`${work}: tcpkit`, NO_TCPKIT), dump];
    const beside = (name: string, theirs: readonly Measured[]) =>
      ratioRow(work, [of(what, found.tcplat), name, of(what, theirs)], seconds, atMost(0.7));
    return [beside("tcpkit", found.tcpkit), beside("tcpkit with its own buffer", found.tcpkitAsItComes ?? []), dump];
  });
}

/** The worst of the runs counts. */
function foundRows({ name, requests }: Workload, found: Found, port: number): Row[] {
  const dropped = Math.max(...found.tcplat.map(({ stdout }) => total(stdout, "capture_dropped_frames")));
  const paired = Math.min(...found.tcplat.map(({ stdout }) => total(stdout, "responses")));
  // Two loads, of SET and GET each.
  const all = (requests * 2 + QUESTIONS) * 2;
  const target = { text: `all ${count(all)}`, holds: (value: number) => value === all };
  const responses = (found.tcpkit ?? []).map(({ told }) => toldResponses(told, port));
  const beside = responses.length === 0 ? "" : `tcpkit ${count(Math.min(...responses))}`;
  return [
    plainRow(`live ${name}: frames dropped, worst run`, dropped, count, atMost(0)),
    { ...plainRow(`live ${name}: requests paired, worst run`, paired, count, target), beside },
  ];
}

/** What tcpkit counted for this server; until its filter was set it saw others, too. */
function toldResponses(told: string, port: number): number {
  const servers = JSON.parse(told) as Record<string, { responses: number }>;
  return servers[`127.0.0.1:${port}`]?.responses ?? 0;
}

function rateRows({ name }: Workload, found: Found): Row[] {
  const rates = (measured: readonly Measured[]) => measured.map(({ rate }) => rate);
  const show = (rate: number) => `${count(Math.round(rate / 1000))} k/s`;
  const row = (beside: string, theirs: readonly Measured[], target?: ReturnType<typeof atLeast>) =>
    ratioRow(`live ${name}: requests that Redis keeps`, [rates(found.tcplat), beside, rates(theirs)], show, target);
  const rows = [row("beside tcpdump", found.tcpdump, atLeast(0.97)), row("beside nobody", found.nobody)];
  return found.tcpkit === undefined ? rows : [...rows, row("beside tcpkit", found.tcpkit)];
}

export const liveUnpipelined: Bench = {
  name: "live-unpipelined",
  about: "redis-benchmark at full speed on lo, one request at a time",
  run: ({ runs }) => measureAll(runs, { name: "unpipelined", requests: 200_000, words: [] }),
};

export const livePipelined: Bench = {
  name: "live-pipelined",
  about: "redis-benchmark at full speed on lo, 16 requests at a time",
  run: ({ runs }) => measureAll(runs, { name: "pipelined", requests: 2_000_000, words: ["-P", "16"] }),
};

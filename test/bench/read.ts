import { type Recording, type RecordingName, recording } from "./captures.ts";
import { type Cost, cost, inTurn } from "./measure.ts";
import { NO_TCPKIT, need, tcpkit, tcplat } from "./programs.ts";
import { TIMES, withRepeated } from "./repeated.ts";
import {
  atLeast,
  atMost,
  type Bench,
  count,
  plainRow,
  type Row,
  ratioRow,
  seconds,
  skippedRow,
  type Target,
} from "./rows.ts";
import { total } from "./summary.ts";

/** Frames that tshark is given: it would take half a minute for all. */
const TSHARK_FRAMES = 200_000;
const NO_THRESHOLD = ["-t", "100000"];

const cpu = (costs: readonly Cost[]): number[] => costs.map((of) => of.cpuS);

interface Targets {
  readonly tcpkit?: Target;
  readonly tcpdump?: Target;
}

interface Work {
  readonly name: string;
  readonly file: string;
  readonly port: number;
  readonly requests: number;
}

async function read(name: RecordingName, runs: number, targets: Targets): Promise<{ rows: Row[]; ours: Cost[] }> {
  return readFile({ ...(await recording(name)), name }, runs, targets);
}

async function readFile({ name, file, port, requests }: Work, runs: number, targets: Targets) {
  const filter = ["tcp", "port", `${port}`];
  const kit = tcpkit();
  const hasTcpdump = await isHere("tcpdump");
  const work = `read ${name}, CPU of the whole process`;
  const words = ["-r", file, "-q", "--json", "-p", `redis:${port}`];
  const found = await inTurn(runs, {
    tcplat: () => cost(tcplat(...words)),
    // A plain file without a filter needs no libpcap.
    filtered: () => cost(tcplat(...words, ...filter)),
    ...(kit && { tcpkit: () => cost([kit, "-r", file, "-p", "redis", ...NO_THRESHOLD]) }),
    ...(hasTcpdump && { tcpdump: () => cost(["tcpdump", "-r", file, "-w", "/dev/null"]) }),
  });
  const ours = found.tcplat;
  const rows: Row[] = [];
  if (found.tcpkit === undefined) rows.push(skippedRow(`${work}: tcpkit`, NO_TCPKIT));
  else rows.push(ratioRow(work, [cpu(ours), "tcpkit", cpu(found.tcpkit)], seconds, targets.tcpkit));
  if (found.tcpdump === undefined) rows.push(skippedRow(`${work}: tcpdump`, "no tcpdump"));
  else rows.push(ratioRow(work, [cpu(ours), "tcpdump -w /dev/null", cpu(found.tcpdump)], seconds, targets.tcpdump));
  rows.push(ratioRow(`${work}, with a filter`, [cpu(found.filtered), "without", cpu(ours)], seconds));
  rows.push(allFound(name, ours[0]!, requests));
  return { rows, ours };
}

async function isHere(program: string): Promise<boolean> {
  try {
    need(program);
    return true;
  } catch {
    return false;
  }
}

function allFound(name: string, { stdout }: Cost, requests: number): Row {
  const paired = total(stdout, "responses");
  const target = { text: `all ${count(requests)}`, holds: (value: number) => value === requests };
  return plainRow(`read ${name}: transactions found`, paired, count, target);
}

export const readUnpipelined: Bench = {
  name: "read-unpipelined",
  about: "a file of 1.6 million frames, one request at a time",
  run: async ({ runs }) => (await read("unpipelined", runs, { tcpkit: atMost(0.6), tcpdump: atMost(3) })).rows,
};

export const readLong: Bench = {
  name: "read-long",
  about: `the same ${TIMES} times over: what is left of the start`,
  run: async ({ runs }) => {
    const { file, port, requests } = await recording("unpipelined");
    const name = `unpipelined ${TIMES} times over`;
    return withRepeated(file, async (repeated) => {
      const work = { name, file: repeated, port, requests: requests * TIMES };
      return (await readFile(work, runs, { tcpkit: atMost(0.6), tcpdump: atMost(3) })).rows;
    });
  },
};

export const readPipelined: Bench = {
  name: "read-pipelined",
  about: "a file of 8,000,002 commands, 16 at a time",
  run: async ({ runs }) => {
    const { rows } = await read("pipelined", runs, { tcpkit: atMost(1.5) });
    const kit = tcpkit();
    if (kit !== null) rows.push(await foundByTcpkit(kit, await recording("pipelined")));
    return rows;
  },
};

/** It tells only what it prints. */
async function foundByTcpkit(kit: string, { file, port, requests }: Recording): Promise<Row> {
  const { stdout } = await cost([kit, "-r", file, "-p", "redis", "tcp", "port", `${port}`]);
  const lines = stdout.match(/ => /g)?.length ?? 0;
  const beside = `tcpkit ${count(lines)} (${((lines / requests) * 100).toFixed(0)} %)`;
  return { work: "read pipelined: transactions tcpkit finds", tcplat: "", beside, ratio: "", target: "", isMet: null };
}

export const readValues: Bench = {
  name: "read-values",
  about: "a file of 4 KB values",
  run: async ({ runs }) => {
    const { bytes } = await recording("values");
    const { rows, ours } = await read("values", runs, {});
    const rates = ours.map((of) => bytes / 1e9 / of.wallS).toSorted((a, b) => a - b);
    const show = (value: number) => `${value.toFixed(2)} GB/s`;
    rows.push(plainRow("read values, start-up included", rates[rates.length >> 1]!, show, atLeast(2, " GB/s")));
    return rows;
  },
};

export const readChurn: Bench = {
  name: "read-churn",
  about: "a file of 300,000 connections of one request each",
  run: async ({ runs }) => (await read("churn", runs, {})).rows,
};

export const readTshark: Bench = {
  name: "read-tshark",
  about: `the first ${count(TSHARK_FRAMES)} frames, beside tshark's RESP dissector, once`,
  run: async () => {
    need("tshark");
    const { file, port } = await recording("unpipelined");
    const some = ["-c", `${TSHARK_FRAMES}`];
    const fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.stream"];
    const found = await inTurn(1, {
      tcplat: () => cost(tcplat("-r", file, ...some, "-p", "redis", "tcp", "port", `${port}`), "/dev/null"),
      tshark: () =>
        cost(
          ["tshark", "-n", "-r", file, ...some, "-d", `tcp.port==${port},resp`, "-Y", "resp", ...fields],
          "/dev/null",
        ),
    });
    const work = `print ${count(TSHARK_FRAMES)} unpipelined frames, CPU`;
    return [ratioRow(work, [cpu(found.tcplat), "tshark", cpu(found.tshark)], seconds)];
  },
};

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

/** The way a byte takes, left to right. A stage imports itself, what stands to its left, and what every stage may see. */
const STAGES = [
  "capture",
  "decode",
  "connection",
  "protocols",
  "transactions",
  "aggregate",
  "condition",
  "outputs",
  "raw",
  "evidence",
  "scripts",
  "report",
];
const ROOT = process.cwd();

interface Import {
  /** Paths from src/: `decode/tcp.ts`. */
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

/** Why this import is against the order of the stages, or null where it is not. */
function objection({ from, to, isTypeOnly }: Import): string | null {
  const stage = folderOf(from);
  const target = folderOf(to);
  if (stage === "bytes") return target === "bytes" ? null : "bytes/ imports nothing";
  if (stage === "cost") return target === "cost" ? null : "cost/ imports nothing";
  if (from === "errors.ts") return "errors.ts imports nothing";
  if (!STAGES.includes(stage)) return null;
  if (stage === "protocols" && !from.startsWith("protocols/registry.")) return protocolObjection(from, to);
  if (target === "bytes" || to === "errors.ts") return null;
  if (target === "cost") return isTypeOnly ? null : "of cost/ only types";
  if (stage === "scripts" && to === "../types/script.d.ts") return isTypeOnly ? null : "of types/ only types";
  if (to === "options.ts") return isTypeOnly ? null : "of options.ts only types";
  if (!STAGES.includes(target)) return `${stage}/ does not know ${to}`;
  return STAGES.indexOf(target) <= STAGES.indexOf(stage) ? null : `${target}/ is to the right of ${stage}/`;
}

/** protocols/redis.ts and all of protocols/redis/ see the contract of a protocol, protocols/redis/ and bytes/. */
function protocolObjection(from: string, to: string): string | null {
  const own = from.split("/")[1]?.replace(/\.ts$/, "") ?? "";
  const isAllowed =
    to === "protocols/protocol.ts" || to === `protocols/${own}.ts` || to.startsWith(`protocols/${own}/`);
  return isAllowed || folderOf(to) === "bytes" ? null : "a protocol knows ./protocol.ts, its own folder and ../bytes";
}

function folderOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : "";
}

/** Every import and re-export of a file of ours, whichever way it is written; packages are not of interest here. */
function importsIn(from: string, source: string): Import[] {
  const clause = /\b(import|export)\b(\s+type\b)?[^;'"`]*?\bfrom\s*["'](\.[^"']+)["']/g;
  const bare = /\bimport\s*\(?\s*["'](\.[^"']+)["']/g;
  const resolve = (specifier: string) => normalize(join(dirname(from), specifier));
  return [
    ...[...source.matchAll(clause)].map((match) => ({
      from,
      to: resolve(match[3] ?? ""),
      isTypeOnly: match[2] !== undefined,
    })),
    ...[...source.matchAll(bare)].map((match) => ({ from, to: resolve(match[1] ?? ""), isTypeOnly: false })),
  ];
}

function sourceFiles(): string[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
}

test("no file imports from a stage to its right", () => {
  const files = sourceFiles();
  const imports = files.flatMap((file) => importsIn(file, readFileSync(join(ROOT, "src", file), "utf8")));
  assert.ok(imports.length > files.length / 2, "hardly any import was found: is this run in the checkout?");
  const objections = imports.flatMap((each) => {
    const reason = objection(each);
    return reason === null ? [] : [`src/${each.from} imports src/${each.to}: ${reason}`];
  });
  assert.deepEqual(objections, []);
});

const ALLOWED: readonly [string, string][] = [
  ["decode/tcp.ts", 'import { u16 } from "../bytes/read.ts";'],
  ["decode/tcp.ts", 'import type { FrameSource } from "../capture/frame-source.ts";'],
  ["outputs/json.ts", 'import { TcplatError } from "../errors.ts";'],
  ["evidence/slow-dump.ts", 'import type { TransactionOutput } from "../aggregate/aggregate.ts";'],
  ["report/slowest.ts", 'import { putEscaped } from "../outputs/put.ts";'],
  ["capture/libpcap.ts", 'import type { Options } from "../options.ts";'],
  ["protocols/redis.ts", 'import { words } from "./redis/words.ts";'],
  ["protocols/redis/words.ts", 'import { u8 } from "../../bytes/read.ts";'],
  ["protocols/redis/words.ts", 'import type { Protocol } from "../protocol.ts";'],
  ["protocols/registry.ts", 'import { redis } from "./redis.ts";'],
  ["pipeline.ts", 'import { line } from "./outputs/line.ts";'],
  ["decode/tcp.ts", 'import { readFileSync } from "node:fs";'],
  ["aggregate/snapshot.ts", 'import type { CostCounters } from "../cost/meter.ts";'],
];

const FORBIDDEN: readonly [string, string][] = [
  ["decode/tcp.ts", 'import { Connection } from "../connection/connection.ts";'],
  ["decode/tcp.ts", 'import type { Connection } from "../connection/connection.ts";'],
  ["capture/cap.ts", 'const { line } = await import("../outputs/line.ts");'],
  ["capture/cap.ts", 'import "../outputs/line.ts";'],
  ["aggregate/series.ts", 'export { line } from "../outputs/line.ts";'],
  ["aggregate/series.ts", 'export * from "../outputs/line.ts";'],
  ["connection/roles.ts", 'import {\n  a,\n  b,\n} from "../transactions/transaction.ts";'],
  ["capture/libpcap.ts", 'import { parseOptions } from "../options.ts";'],
  ["capture/libpcap.ts", 'import { run } from "../pipeline.ts";'],
  ["bytes/read.ts", 'import { TcplatError } from "../errors.ts";'],
  ["cost/meter.ts", 'import { u8 } from "../bytes/read.ts";'],
  ["outputs/metrics.ts", 'import { CostMeter } from "../cost/meter.ts";'],
  ["errors.ts", 'import { u8 } from "./bytes/read.ts";'],
  ["outputs/json.ts", 'import { SlowDump } from "../evidence/slow-dump.ts";'],
  ["outputs/json.ts", 'import { html } from "../report/html.ts";'],
  ["protocols/redis.ts", 'import { memcached } from "./memcached.ts";'],
  ["protocols/redis.ts", 'import { words } from "./memcached/words.ts";'],
  ["protocols/redis.ts", 'import type { Segment } from "../decode/segment.ts";'],
  ["protocols/redis/words.ts", 'import { TcplatError } from "../../errors.ts";'],
  ["protocols/registry.ts", 'import { matcher } from "../transactions/matcher.ts";'],
];

for (const [from, source] of ALLOWED) {
  test(`${from} may say: ${source}`, () => {
    assert.deepEqual(
      importsIn(from, source)
        .map(objection)
        .filter((reason) => reason !== null),
      [],
    );
  });
}

for (const [from, source] of FORBIDDEN) {
  test(`${from} may not say: ${source.replaceAll(/\s+/g, " ")}`, () => {
    assert.equal(
      importsIn(from, source)
        .map(objection)
        .filter((reason) => reason !== null).length,
      1,
    );
  });
}

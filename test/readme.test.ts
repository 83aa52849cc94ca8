import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { Aggregate } from "../src/aggregate/aggregate.ts";
import { SKIP_REASONS } from "../src/decode/counters.ts";
import { EXIT_STATUS } from "../src/errors.ts";
import { helpText } from "../src/options/help.ts";
import { HISTOGRAM_FAMILIES, NUMBER_FAMILIES } from "../src/outputs/metrics.ts";
import { PrometheusExporter } from "../src/outputs/prometheus.ts";
import { STATS_LABELS } from "../src/outputs/stats-document.ts";
import { CLASS_NAMES } from "../src/protocols/protocol.ts";
import { PROTOCOLS } from "../src/protocols/registry.ts";
import { FLAG_NAMES, UNANSWERED_REASONS, UNMATCHED_REASONS } from "../src/transactions/transaction.ts";
import { stages } from "./aggregate/fixtures.ts";

const README = readFileSync(join(process.cwd(), "README.md"), "utf8");
const COUNTERS = readFileSync(join(process.cwd(), "native-notes/counters.md"), "utf8");
/** So wide that no line of --help is broken. */
const COLUMNS = 500;
/** `  -i, --interface       NAME: capture on this interface     [default: any]`; what is no argument's name stays in the meaning. */
const HELP_LINE =
  /^ +(?:-(?<letter>\w), )?(?<name>--?[\w-]+) +(?:(?<argument>[A-Z][A-Z:…,[\]]*|[a-z]+(?:\|[a-z]+)+): )?(?<meaning>.+?)(?: +\[default: (?<preset>.+)\])?$/gu;

test("README's table of options is that of --help", async () => {
  const help = await helpText(
    COLUMNS,
    PROTOCOLS.map((protocol) => protocol.name),
  );
  const options = help.split("\n").flatMap((line) => [...line.matchAll(HELP_LINE)].map(({ groups = {} }) => groups));
  assert.ok(options.length > 25, help);
  const rows = options.map(({ letter, name, argument, meaning, preset }) => {
    const option = `${letter === undefined ? "" : `-${letter}, `}${name}${argument === undefined ? "" : ` ${argument}`}`;
    return [`\`${option}\``, preset === undefined ? "" : `\`${preset}\``, meaning];
  });
  assert.deepEqual(tableUnder("Options"), rows);
});

test("README's table of metrics is what /metrics renders: names, types and labels", async () => {
  const snapshot = new Aggregate({ thresholdUs: null, outputs: [] }).snapshot(stages());
  const build = { version: "", node: "", libpcap: "", engine: "" };
  const text = String(await new PrometheusExporter({ snapshot: () => snapshot, build }).scrape());
  const labelsOf = new Map<string, readonly string[]>([["tcplat_build_info", Object.keys(build)]]);
  for (const { name, labelNames } of [...HISTOGRAM_FAMILIES, ...NUMBER_FAMILIES]) labelsOf.set(name, labelNames);
  const rows = [...text.matchAll(/^# TYPE (tcplat_\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => {
    return [`\`${name}\``, type, (labelsOf.get(name) ?? []).join(", ")];
  });
  assert.ok(rows.length > 30, text);
  assert.deepEqual(
    tableUnder("All metrics").map((cells) => cells.slice(0, 3)),
    rows,
  );
});

test("README names every protocol, class, flag, exit status and label of the stats port", () => {
  const words = [
    ...PROTOCOLS.map((protocol) => protocol.name),
    ...CLASS_NAMES,
    ...FLAG_NAMES,
    ...UNANSWERED_REASONS,
    ...new Set(Object.values(EXIT_STATUS).map(String)),
  ];
  for (const word of words) assert.ok(README.includes(`\`${word}\``), `README says nothing of ${word}`);
  for (const label of STATS_LABELS) assert.ok(README.includes(label), `README says nothing of ${label}`);
});

test("promtool takes README's queries", (t) => {
  const queries = promqlQueries();
  assert.ok(queries.length >= 5);
  const rules = queries.map((query, index) => `      - { record: "query:${index}", expr: ${JSON.stringify(query)} }`);
  const folder = mkdtempSync(join(tmpdir(), "tcplat-readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "rules.yml");
  writeFileSync(file, `groups:\n  - name: readme\n    rules:\n${rules.join("\n")}\n`);
  const result = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" });
  if (result.error) return t.skip("promtool is not installed");
  assert.equal(result.status, 0, result.stdout + result.stderr);
});

describe("native-notes/counters.md explains", () => {
  const subjects = [
    ["metric", [...HISTOGRAM_FAMILIES, ...NUMBER_FAMILIES].map(({ name }) => name)],
    ["flag", FLAG_NAMES],
    ["class", CLASS_NAMES],
    ["reason a frame is skipped for", SKIP_REASONS.filter((reason) => reason !== "")],
    ["reason a request stays unanswered for", UNANSWERED_REASONS],
    ["reason a response is unmatched for", UNMATCHED_REASONS],
  ] as const;
  for (const [subject, names] of subjects) {
    test(`each ${subject}`, () => {
      const rows = COUNTERS.split("\n").filter((line) => line.startsWith("| "));
      for (const name of names) {
        const isThere = rows.some((row) => row.split(" | ", 1)[0]?.includes(`\`${name}\``));
        assert.ok(isThere, `no row begins with ${name}`);
      }
    });
  }
});

for (const [file, text] of [
  ["README.md", README],
  ["native-notes/counters.md", COUNTERS],
] as const) {
  test(`${file} speaks of no metric that there is not`, () => {
    const known = [...HISTOGRAM_FAMILIES, ...NUMBER_FAMILIES].map(({ name }) => name);
    const mentioned = [...text.matchAll(/\btcplat_\w*[a-z]/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, ""),
    );
    assert.ok(mentioned.length > known.length);
    assert.deepEqual(
      mentioned.filter((name) => name !== "tcplat_build_info" && !known.includes(name)),
      [],
    );
  });

  test(`what ${file} links to is there`, () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
    assert.ok(links.length > 0);
    for (const link of links) {
      const [path = "", anchor] = link.split("#");
      if (path !== "") assert.ok(existsSync(join(process.cwd(), dirname(file), path)), `${path} is not there`);
      else assert.ok(anchors(text).includes(anchor ?? ""), `there is no heading for #${anchor}`);
    }
  });
}

/** The queries of README's example; lines that begin with blanks go on with the one above. */
function promqlQueries(): string[] {
  const example = /```promql\n(.+?)```/s.exec(README)?.[1] ?? "";
  const lines = example.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.join("\n").replaceAll("\n ", " ").split("\n");
}

/** The body rows of the first table below a heading of README, as cells; rows that only name a group are left out. */
function tableUnder(heading: string): string[][] {
  const section = README.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  return lines
    .slice(1)
    .filter((line) => !line.startsWith("| **"))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}

/** GitHub's names of a text's headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { EXIT_STATUS } from "../src/errors.ts";
import { parseCommandLine } from "../src/options/parse.ts";

const FOLDER = join(process.cwd(), "systemd");
/** The file, and the name it is judged under: a template only makes sense as an instance. */
const UNITS = [
  { file: "tcplat.service", unit: "tcplat.service" },
  { file: "tcplat@.service", unit: "tcplat@lo.service" },
];
/** From 0, safe, to 10; Debian's prometheus scores 4.0. */
const MAX_EXPOSURE = 1.7;

for (const { file, unit } of UNITS) {
  test(`systemd finds nothing to say about ${unit}`, (t) => {
    const result = systemdAnalyze(t, ["verify", "--recursive-errors=no", join(FOLDER, unit)]);
    if (result === null) return;
    assert.equal(result.output, "");
    assert.equal(result.status, 0);
  });

  test(`${file} is exposed by at most ${MAX_EXPOSURE}`, (t) => {
    const result = systemdAnalyze(t, ["security", "--offline=yes", "--no-pager", join(FOLDER, file)]);
    if (result === null) return;
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(result.output)?.[1];
    assert.ok(exposure !== undefined, result.output);
    assert.ok(Number(exposure) <= MAX_EXPOSURE, result.output);
  });

  test(`${file} holds CAP_NET_RAW and no other capability`, () => {
    const service = serviceSection(file);
    assert.deepEqual(valuesOf(service, "AmbientCapabilities"), ["CAP_NET_RAW"]);
    assert.deepEqual(valuesOf(service, "CapabilityBoundingSet"), ["CAP_NET_RAW"]);
    assert.deepEqual(valuesOf(service, "NoNewPrivileges"), ["yes"]);
    assert.deepEqual(valuesOf(service, "DynamicUser"), ["yes"]);
  });

  test(`${file} is restarted when it fails, but not for what no restart mends`, () => {
    const service = serviceSection(file);
    assert.deepEqual(valuesOf(service, "Restart"), ["on-failure"]);
    assert.deepEqual(valuesOf(service, "RestartPreventExitStatus"), [`${EXIT_STATUS.usage} ${EXIT_STATUS.permission}`]);
  });

  test(`${file} is restarted where a reload ends it, before it has a handler`, () => {
    const service = serviceSection(file);
    assert.match(valuesOf(service, "ExecReload").join(), / -HUP /);
    assert.deepEqual(valuesOf(service, "RestartForceExitStatus"), ["SIGHUP"]);
  });

  test(`${file} starts whatever package.json calls the program, with the options of tcplat.env`, () => {
    const manifest = JSON.parse(readFileSync(join(process.cwd(), "package.json"), "utf8"));
    const [command] = valuesOf(serviceSection(file), "ExecStart");
    assert.match(
      command ?? "",
      new RegExp(`^/usr/bin/env node .*/${Object.keys(manifest.bin)[0]} .*\\$TCPLAT_OPTIONS$`),
    );
    assert.equal(valuesOf(serviceSection(file), "EnvironmentFile")[0], "-/etc/tcplat/tcplat.env");
    assert.match(readFileSync(join(FOLDER, "tcplat.env"), "utf8"), /^TCPLAT_OPTIONS=".+"$/m);
  });
}

for (const { file } of UNITS) {
  test(`${file} gives tcplat options that it knows, with each proposal of tcplat.env`, () => {
    const proposals = [...readFileSync(join(FOLDER, "tcplat.env"), "utf8").matchAll(/^#?TCPLAT_OPTIONS="(.+)"$/gm)];
    assert.ok(proposals.length >= 2);
    const command = valuesOf(serviceSection(file), "ExecStart")[0] ?? "";
    for (const [, proposal = ""] of proposals) {
      const line = command.replace("%i", "lo").replace("$TCPLAT_OPTIONS", proposal);
      const words = line.slice(line.indexOf("/tcplat ") + "/tcplat ".length).split(" ");
      const surroundings = {
        protocols: ["redis", "memcached"],
        env: { TCPLAT_LOG: "info" },
        readConfig: () => new Map(),
      };
      const invocation = parseCommandLine(words, surroundings);
      assert.ok(invocation.kind === "run");
      assert.equal(invocation.options.quiet, true);
      assert.match(invocation.options.filter, /^tcp port 6379/);
    }
  });
}

test("both units are the same but for the interface and where its options are", () => {
  const isOwn = (line: string) => line.startsWith("ExecStart=") || line === "EnvironmentFile=-/etc/tcplat/%i.env";
  const [all, one] = UNITS.map(({ file }) => serviceSection(file).filter((line) => !isOwn(line)));
  assert.deepEqual(one, all);
  const [allStart, oneStart] = UNITS.map(({ file }) => valuesOf(serviceSection(file), "ExecStart")[0]);
  // %i and not %I, which would turn the dash of br-1a2b into a slash.
  assert.equal(oneStart, allStart?.replace("--interface any", "--interface %i"));
});

test("the sysctl file keeps both ports free", () => {
  const text = readFileSync(join(FOLDER, "tcplat.conf"), "utf8");
  assert.match(text, /^net\.ipv4\.ip_local_reserved_ports = 13333,33333$/m);
});

/** Both streams of systemd-analyze, or null once the test is skipped since it is not here. */
function systemdAnalyze(t: TestContext, args: string[]): { output: string; status: number | null } | null {
  const result = spawnSync("systemd-analyze", args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (result.error !== undefined) {
    t.skip(`systemd-analyze is not here: ${result.error.message}`);
    return null;
  }
  return { output: result.stdout + result.stderr, status: result.status };
}

/** The settings of [Service], without comments and blank lines. */
function serviceSection(file: string): string[] {
  const section = readFileSync(join(FOLDER, file), "utf8")
    .split(/^\[/m)
    .find((part) => part.startsWith("Service]"));
  assert.ok(section !== undefined);
  return section
    .split("\n")
    .slice(1)
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function valuesOf(section: readonly string[], key: string): string[] {
  return section.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

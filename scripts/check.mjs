// npm run check: what can be known without running the program. Every check runs, whatever the others say.
import { spawnSync } from "node:child_process";
import { root, say } from "./processes.mjs";
import { needBuild, needDependencies, runTool } from "./project.mjs";

/** Biome colours whatever its output is. */
const COLORS = process.stderr.isTTY ? "--colors=force" : "--colors=off";

const CHECKS = [
  { name: "types", passes: () => runTool("tsc", ["-p", "tsconfig.json", "--noEmit"]) },
  { name: "format and lint", passes: () => runTool("biome", ["ci", "--error-on-warnings", COLORS]) },
  { name: "dead code", passes: () => runTool("knip", ["--no-progress"]) },
  { name: "import direction", passes: isImportDirectionKept },
];

export function main() {
  needDependencies();
  const failed = CHECKS.filter(({ name, passes }) => {
    say(`checking ${name}`);
    return !passes();
  });
  say(failed.length === 0 ? "all checks passed" : `failed: ${failed.map(({ name }) => name).join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function isImportDirectionKept() {
  try {
    needBuild();
  } catch {
    say("the build failed, so the import direction was not checked");
    return false;
  }
  const args = ["--test", "--test-reporter=spec", "dist/test/architecture.test.js"];
  return spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] }).status === 0;
}

// npm test: sets up what is missing, then runs every test, or with arguments those whose path contains one of them.
// Arguments that begin with a dash go to Node: npm test -- redis --test-name-pattern=pipelin
import { failure, runInOurPlace } from "./processes.mjs";
import { filesUnder, needBuild, needDependencies } from "./project.mjs";
import { wantTestPrograms } from "./system.mjs";

/** A test that hangs fails, rather than hold up everything. */
const TIMEOUT_MS = 300_000;

export function main(args) {
  const patterns = args.filter((arg) => !arg.startsWith("-"));
  const options = args.filter((arg) => arg.startsWith("-"));
  // Named one by one: Node 20 knows no `**`, and Node 22 takes no folder.
  const files = filesUnder("test")
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .map((file) => `dist/${file.replace(/\.ts$/, ".js")}`);
  if (files.length === 0) throw failure(`tcplat: no test file's path contains ${patterns.join(" or ")}.`);
  wantTestPrograms();
  needDependencies();
  needBuild();
  return runInOurPlace(["--test", "--test-reporter=spec", `--test-timeout=${TIMEOUT_MS}`, ...options, ...files]);
}

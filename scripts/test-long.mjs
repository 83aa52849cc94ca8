// npm run test:long: what takes minutes, the bounds under attack (test/**/*.long.ts), or with arguments those whose path
// contains one of them. Arguments that begin with a dash go to Node.
import { failure, runInOurPlace } from "./processes.mjs";
import { filesUnder, needBuild, needDependencies } from "./project.mjs";

/** A test that hangs fails, rather than hold up everything. */
const TIMEOUT_MS = 900_000;

export function main(args) {
  const patterns = args.filter((arg) => !arg.startsWith("-"));
  const options = args.filter((arg) => arg.startsWith("-"));
  const files = filesUnder("test")
    .filter((file) => file.endsWith(".long.ts"))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .map((file) => `dist/${file.replace(/\.ts$/, ".js")}`);
  if (files.length === 0) throw failure(`tcplat: no long test file's path contains ${patterns.join(" or ")}.`);
  needDependencies();
  needBuild();
  // One after the other: they measure time and memory.
  const concurrency = "--test-concurrency=1";
  return runInOurPlace([
    "--test",
    "--test-reporter=spec",
    concurrency,
    `--test-timeout=${TIMEOUT_MS}`,
    ...options,
    ...files,
  ]);
}

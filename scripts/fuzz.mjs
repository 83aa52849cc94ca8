// npm run fuzz -- --seconds N [--seed S] [--kind K]: mutated captures and bytes through the pipeline, for as long as
// asked. npm run fuzz -- --case KIND:SEED repeats a case that was found, and says what it found.
import { runInOurPlace } from "./processes.mjs";
import { needBuild, needDependencies } from "./project.mjs";
import { needLibpcap } from "./system.mjs";

export function main(args) {
  needLibpcap();
  needDependencies();
  needBuild();
  return runInOurPlace(["dist/test/fuzz/main.js", ...args]);
}

// npm run bench: builds if a source has changed, then measures everything, or what is named. See test/bench/README.md.
import { runInOurPlace } from "./processes.mjs";
import { needBuild, needDependencies } from "./project.mjs";

export function main(args) {
  needDependencies();
  needBuild();
  return runInOurPlace(["dist/test/bench/main.js", ...args]);
}

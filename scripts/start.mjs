// npm start: sets up what is missing, then runs the demonstration, or with arguments the program itself.
// Stdout is the program's alone; npm's own banner stays off it with `npm start -s`.
import { runInOurPlace } from "./processes.mjs";
import { needBuild, needDependencies } from "./project.mjs";
import { needLibpcap } from "./system.mjs";

export function main(args) {
  needLibpcap();
  needDependencies();
  needBuild();
  return runInOurPlace(
    args.length === 0 ? ["dist/bin/demo.js"] : ["--no-concurrent-recompilation", "dist/bin/cli.js", ...args],
  );
}

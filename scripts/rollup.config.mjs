import { fileURLToPath } from "node:url";

// What users run: the modules of dist/src joined to few files of CommonJS, of which a start opens 10 instead of 220, and which V8 takes as it has compiled them
// once (src/v8.ts; test/bench, `start-up`).
//
// Joined by a tool that leaves `const` as it is: of a constant in its own file V8 knows the value, of an imported one it does not.
// With tables of numbers as `Time.start` (`as const`) on every other line of the hot path that is 14 % of a frame (`stages`).

/** A module for import alone: to load one such costs a start as much as all of ours. */
const JOINED = "yargs-parser";
const external = (name) => !name.startsWith(".") && !name.startsWith("/") && name !== JOINED;
const joined = {
  name: "joined",
  resolveId: (name) => (name === JOINED ? fileURLToPath(import.meta.resolve(JOINED)) : null),
};
/** Where a file lies, in the words of CommonJS. */
const places = {
  name: "places",
  resolveImportMeta(property) {
    if (property === "url") return 'require("node:url").pathToFileURL(__filename).href';
    return property === "dirname" ? "__dirname" : null;
  },
};

/** The stages that every frame passes, with all their constants, in one file. */
const STAGES =
  /dist\/src\/(?:bytes|decode|connection|protocols|transactions|aggregate|pipeline\.js|outputs\/(?:put|line|line-shares|json|clock-text|common-text|record-output)\.js)/;
const manualChunks = (module) => (STAGES.test(module) ? "stages" : undefined);
const format = { format: "cjs", manualChunks };

/** Programs by their names in dist/bin. Others than the first two are started by name, beside the files that start them. */
const programs = {
  input: {
    cli: "dist/src/cli.js",
    demo: "dist/src/demo.js",
    "cap-child": "dist/src/capture/cap-child.js",
    "script-worker": "dist/src/scripts/script-worker.js",
    worker: "dist/src/workers/worker.js",
    v8: "dist/src/v8.js",
  },
  external,
  plugins: [joined, places],
  output: { ...format, dir: "dist/bin", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
};

/** What measures the hot path piece by piece measures it so, too. */
const pieces = {
  input: ["stage-process", "aggregate", "dns", "http", "kafka", "memcached", "records", "redis"].map(
    (name) => `dist/test/bench/${name}.js`,
  ),
  external,
  plugins: [places],
  output: { ...format, dir: "dist/test/bench/joined", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
};

export default [programs, pieces];

// What users run: the modules of dist/src joined to few files, of which a start opens 10 instead of 220 (test/bench, `start-up`).
//
// Joined by a tool that leaves `const` as it is: of a constant in its own file V8 knows the value, of an imported one it does not.
// With tables of numbers as `Time.start` (`as const`) on every other line of the hot path that is 14 % of a frame (`stages`).
const external = (name) => !name.startsWith(".") && !name.startsWith("/");

/** The stages that every frame passes, with all their constants, in one file. */
const STAGES =
  /dist\/src\/(?:bytes|decode|connection|protocols|transactions|aggregate|pipeline\.js|outputs\/(?:put|line|line-shares|json|clock-text|common-text|record-output)\.js)/;
const manualChunks = (module) => (STAGES.test(module) ? "stages" : undefined);

/** Programs by their names in dist. The first two take the place of what tsc made of them; others are started by name, beside the files that start them. */
const programs = {
  input: {
    "src/cli": "dist/src/cli.js",
    "src/demo": "dist/src/demo.js",
    "bin/cap-child": "dist/src/capture/cap-child.js",
    "bin/script-worker": "dist/src/scripts/script-worker.js",
    "bin/worker": "dist/src/workers/worker.js",
  },
  external,
  output: {
    dir: "dist",
    entryFileNames: "[name].js",
    chunkFileNames: "bin/[name]-[hash].js",
    manualChunks,
  },
};

/** What measures the hot path piece by piece measures it so, too. */
const pieces = {
  input: ["stage-process", "aggregate", "dns", "http", "kafka", "memcached", "records", "redis"].map(
    (name) => `dist/test/bench/${name}.js`,
  ),
  external,
  output: { dir: "dist/test/bench", chunkFileNames: "joined/[name]-[hash].js", manualChunks },
};

export default [programs, pieces];

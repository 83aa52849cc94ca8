// What users run: the modules of dist/src joined to few files, of which a start opens 10 instead of 220 (test/bench, `start-up`).
//
// Joined by a tool that leaves `const` as it is: of a constant in its own file V8 knows the value, of an imported one it does not.
// With tables of numbers as `Time.start` (`as const`) on every other line of the hot path that is 14 % of a frame (`stages`).
const external = (name) => !name.startsWith(".") && !name.startsWith("/");

/** The stages that every frame passes, with all their constants, in one file. */
const STAGES =
  /dist\/src\/(?:bytes|decode|connection|protocols|transactions|aggregate|pipeline\.js|outputs\/(?:put|line|line-shares|json|clock-text|common-text|record-output)\.js)/;
/**
 * Exports the same values by other names: of a constant that is itself exported, V8 does not know the value in its own file either
 * (5 % of a frame with `-P 16`; `stages`).
 */
const otherNames = {
  name: "other names",
  renderChunk(code, { name }) {
    if (name !== "stages") return null;
    const [statement, list] = /\nexport \{ (.*) \};\s*$/.exec(code) ?? this.error(`${name} has no exports at its end`);
    const names = list.split(", ").map((item) => item.split(" as "));
    const others = names.map(([own], i) => `const other$${i} = ${own};`);
    const exported = names.map(([own, as = own], i) => `other$${i} as ${as}`);
    return `${code.slice(0, -statement.length)}\n${others.join("\n")}\nexport { ${exported.join(", ")} };\n`;
  },
};
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
    plugins: [otherNames],
  },
};

/** What measures the hot path piece by piece measures it so, too. */
const pieces = {
  input: ["stage-process", "aggregate", "dns", "http", "kafka", "memcached", "records", "redis"].map(
    (name) => `dist/test/bench/${name}.js`,
  ),
  external,
  output: { dir: "dist/test/bench", chunkFileNames: "joined/[name]-[hash].js", manualChunks, plugins: [otherNames] },
};

export default [programs, pieces];

// node_modules and dist, each made anew only when it is out of date.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { failure, root, run, say } from "./processes.mjs";
import { wantCompiler } from "./system.mjs";

/** See LAUNCHER. */
const V8_FLAG = "--no-concurrent-recompilation";

/** Written last, after a build that succeeded: the sources it was made of. */
const STAMP = join(root, "dist", ".sources");

/** Runs `npm ci` unless node_modules holds what package-lock.json asks for. */
export function needDependencies() {
  if (areDependenciesInstalled()) return;
  // npm ci empties the folder that such a link leads to, which is another checkout's.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink())
    throw failure(
      "tcplat: node_modules is a link, and does not hold what package-lock.json asks for: npm ci where it leads to.",
    );
  wantCompiler();
  say("installing the dependencies (npm ci)");
  // Whatever npm's configuration says: tsc is a development dependency, and errors must be seen.
  const args = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const cli = process.env.npm_execpath ?? "";
  const isInstalled = basename(cli).startsWith("npm") ? run(process.execPath, [cli, ...args]) : run("npm", args);
  if (!isInstalled) {
    throw failure(
      "tcplat: npm ci failed, in its own words above. It needs the npm registry (or npm's cache) this one time.",
    );
  }
  if (!existsSync(join(root, "node_modules/cap/build/Release/cap.node"))) {
    say("the optional engine cap could not be built; the default engine needs no compiler.");
  }
}

/** npm records what it has installed; an optional package may be missing, but not be another version. */
function areDependenciesInstalled() {
  const wanted = packagesIn("package-lock.json");
  const installed = packagesIn("node_modules/.package-lock.json");
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch {
    return {};
  }
}

/** Builds unless dist was made of these very sources. */
export function needBuild() {
  const sources = describeSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  say("building");
  build();
}

/**
 * V8 compiles on the main thread, not beside it: a read of 0.65 s takes 0.60 s of CPU, with -P 16 1.26 become 1.21 (test/bench/README.md). Node takes
 * that on its command line only, and `env -S` is not everywhere.
 *
 * Certificates that NODE_EXTRA_CA_CERTS names Node reads at each start, 85 ms of CPU for a distribution's: only a script could ever need them.
 *
 * To a shell the second line is commands, to Node it is a text and a comment.
 */
const LAUNCHER = `#!/bin/sh
":" //; _s=; for _w; do case $_w in -[!-]*S*|-S*|--sc*|--co*) _s=1;; esac; done; [ "$_s" ] || unset NODE_EXTRA_CA_CERTS; exec node ${V8_FLAG} "$0" "$@"
`;

function makeRunnable(file) {
  const program = readFileSync(file, "utf8");
  writeFileSync(file, program.replace(/^#!.*\n/, LAUNCHER));
  chmodSync(file, 0o755);
}

/** Whoever starts the program by its source's place gets the joined one, too; `npx tsc` brings the modules back. */
const FORWARDER = `process.getBuiltinModule("node:module").createRequire(import.meta.url)("../bin/cli.js");\n`;

/**
 * Makes dist anew: nothing of a source that is gone may stay in it. dist/src and dist/test hold each source by itself; dist/bin the
 * same joined to few files (rollup.config.mjs), of which cli.js is the program, and what V8 makes of them (compile.mjs).
 */
export function build() {
  const sources = describeSources();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  if (!runTool("tsc", ["-p", "tsconfig.json"])) throw failure("tcplat: the build failed: see tsc's messages above.");
  if (!runTool("rollup", ["--config", "scripts/rollup.config.mjs", "--silent"]))
    throw failure("tcplat: the build failed: see rollup's messages above.");
  for (const folder of ["dist/bin", "dist/test/bench/joined"])
    writeFileSync(join(root, folder, "package.json"), '{ "type": "commonjs" }\n');
  copyFileSync(join(root, "node_modules/yargs-parser/LICENSE.txt"), join(root, "dist/bin/yargs-parser.txt"));
  makeRunnable(join(root, "dist/bin/cli.js"));
  writeFileSync(join(root, "dist/src/cli.js"), FORWARDER);
  if (!run(process.execPath, ["dist/src/man-page.js", "man/tcplat.1"]))
    throw failure("tcplat: the manual page was not made.");
  const compiling = spawnSync(process.execPath, [V8_FLAG, "scripts/compile.mjs"], {
    cwd: root,
    encoding: "utf8",
    // Flags that only this shell's programs have would make it of no use to others.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (compiling.status !== 0) throw failure(`tcplat: the build failed: the program does not run.\n${compiling.stderr}`);
  writeFileSync(STAMP, sources);
}

/** Runs a development tool of node_modules, its output on stderr; tells whether it succeeded. */
export function runTool(name, args) {
  return spawnSync(join(root, "node_modules/.bin", name), args, { cwd: root, stdio: ["ignore", 2, 2] }).status === 0;
}

/** Every file under a folder of the checkout, sorted, relative to the checkout. */
export function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function describeSources() {
  const files = [...filesUnder("src"), ...filesUnder("test")].filter((file) => file.endsWith(".ts"));
  return [
    ...files,
    "tsconfig.json",
    "package-lock.json",
    "scripts/project.mjs",
    "scripts/rollup.config.mjs",
    "scripts/compile.mjs",
    "scripts/rehearsal.mjs",
  ]
    .map((file) => {
      const { mtimeMs, size } = statSync(join(root, file));
      return `${file} ${mtimeMs} ${size}\n`;
    })
    .join("");
}

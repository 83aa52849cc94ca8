// Keeps what V8 has compiled of the program once it has read a capture, for later starts (src/v8.ts). Run by the build.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crowd } from "../dist/test/support/crowd.js";

const require = createRequire(import.meta.url);
const { settleV8 } = require("../dist/bin/v8.js");

const scripts = new Map();
settleV8((place, script) => scripts.set(place, script));

const folder = mkdtempSync(join(tmpdir(), "tcplat-build-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true });
  for (const [place, script] of scripts) {
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, script.createCachedData());
  }
});

const capture = join(folder, "few.pcap");
writeFileSync(capture, Buffer.concat([...crowd(2, 100)]));
process.argv.splice(2, Infinity, "-r", capture);
require("../dist/bin/cli.js");

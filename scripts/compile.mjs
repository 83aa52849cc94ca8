// Writes the capture that the program rehearses with (src/rehearsal.ts), and keeps what V8 has compiled of the program once it has read that, for later starts (src/v8.ts).
// Run by the build.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { rehearsal } from "./rehearsal.mjs";

const require = createRequire(import.meta.url);
const { settleV8 } = require("../dist/bin/v8.js");

const kept = new Map();
settleV8((place, contents) => kept.set(place, contents));

const capture = fileURLToPath(new URL("../dist/bin/rehearsal.pcap", import.meta.url));
writeFileSync(capture, rehearsal());

process.on("exit", () => {
  for (const [place, contents] of kept) {
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents());
  }
});

process.argv.splice(2, Infinity, "-r", capture);
require("../dist/bin/cli.js");

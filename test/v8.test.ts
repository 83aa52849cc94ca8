import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CLI } from "./support/tcplat.ts";

/** Told of each file of the program: whether there was something compiled, and whether V8 took it. */
const WATCH = `
const vm = require("node:vm");
vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options);
    console.log(options.cachedData !== undefined, this.cachedDataRejected !== true);
  }
};
`;

describe("what V8 has compiled when the program was built", () => {
  let folder = "";
  let program = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tcplat-v8-"));
    writeFileSync(join(folder, "watch.cjs"), WATCH);
    cpSync(dirname(CLI), join(folder, "bin"), { recursive: true });
    program = join(folder, "bin", "cli.js");
  });
  after(() => rmSync(folder, { recursive: true }));

  function start(...flags: readonly string[]): { readonly told: Set<string>; readonly said: string } {
    const words = [...flags, "--require", join(folder, "watch.cjs"), program, "-r", "nosuch.pcap"];
    const { stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    return { told: new Set(stdout.trimEnd().split("\n")), said: stderr };
  }

  const COMPLAINT = "tcplat: nosuch.pcap: no such file\n";

  test("is taken at a start, of every file, however Node is started", () => {
    for (const flags of [[], ["--no-concurrent-recompilation"]]) {
      const { told, said } = start(...flags);
      assert.deepEqual([...told], ["true true"], flags.join());
      assert.equal(said, COMPLAINT);
    }
  });

  test("is refused, and compiled anew, where V8's flags are others", () => {
    const { told, said } = start("--max-lazy");
    assert.deepEqual([...told], ["true false"]);
    assert.equal(said, COMPLAINT);
  });

  test("is not used where a single bit of it is another, or where it is cut short", () => {
    for (const damage of [flipOneBit, (file: string) => truncateSync(file, statSync(file).size >> 1)]) {
      for (const file of compiledFiles()) damage(file);
      const { told, said } = start();
      assert.deepEqual([...told], ["false true"]);
      assert.equal(said, COMPLAINT);
      cpSync(dirname(CLI), join(folder, "bin"), { recursive: true });
    }
  });

  test("is not used of a file that was edited, however little", () => {
    const [main] = readdirSync(join(folder, "bin")).filter((name) => /^main-.*\.js$/.test(name));
    const file = join(folder, "bin", main!);
    writeFileSync(file, readFileSync(file, "utf8").replace("this is a bug", "this is a bee"));
    assert.deepEqual([...start().told], ["false true", "true true"]);
    cpSync(dirname(CLI), join(folder, "bin"), { recursive: true });
  });

  test("is not missed where there is none", () => {
    rmSync(join(folder, "bin", "compiled"), { recursive: true });
    const { told, said } = start();
    assert.deepEqual([...told], ["false true"]);
    assert.equal(said, COMPLAINT);
  });

  function compiledFiles(): string[] {
    const compiled = join(folder, "bin", "compiled");
    const files = readdirSync(compiled, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".cache"),
    );
    return files.map((name) => join(compiled, name));
  }
});

/** Of what V8 made, which is behind the source. */
function flipOneBit(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.length - (bytes.readUInt32LE(4) >> 1);
  bytes[at] = bytes[at]! ^ 4;
  writeFileSync(file, bytes);
}

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ScriptError } from "../../src/scripts/messages.ts";
import { ScriptThread } from "../../src/scripts/script-thread.ts";
import { BEGIN_US, Dialogue, frameOf } from "../support/segments.ts";
import { temporaryFolder } from "../support/servers.ts";
import { sliceOf } from "./run-script.ts";

const { folder, remove } = temporaryFolder();
after(remove);

function script(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

/** Runs one packet through a script; resolves with the first error that its thread tells of, or why it ended. */
async function outcome(file: string, hangMs?: number): Promise<string | null> {
  const thread = await ScriptThread.start({ files: [file], isLive: false, ...(hangMs !== undefined && { hangMs }) });
  const heard = await new Promise<string | null>((resolve) => {
    const errorOf = ({ errors }: { errors: readonly ScriptError[] }) => {
      if (errors.length > 0) resolve(errors[0]!.message);
    };
    thread.listen({ done: errorOf, aside: errorOf, over: resolve });
    const slice = sliceOf([frameOf(new Dialogue().client(0, "x"))], BEGIN_US);
    thread.send(slice, [slice.frames.buffer]);
  });
  thread.close();
  return heard;
}

describe("a thread of scripts is ended, and says why, where", () => {
  const rows: readonly [string, string, string, RegExp][] = [
    [
      "a Lua pattern never ends",
      "a.lua",
      `function process() (("a"):rep(30000)):find((".-"):rep(40) .. "b") end`,
      /did not return within 1 s/,
    ],
    ["JavaScript loops", "a.mjs", "export function packet() { for (;;); }", /did not return within 1 s/],
    ["JavaScript exits", "b.mjs", "export function packet() { process.exit(0); }", /ended its own thread/],
    [
      "JavaScript takes all memory",
      "c.mjs",
      "const all = [];\nexport function packet() { for (;;) all.push({}); }",
      /has filled its memory/,
    ],
    [
      "JavaScript takes all memory with a large table, which V8 asks for at once,",
      "d.mjs",
      "const all = new Map();\nexport function packet() { for (let i = 0; ; i++) all.set(i, {}); }",
      /has filled its memory/,
    ],
  ];
  for (const [name, file, source, expected] of rows) {
    // Filling memory takes a while where others work, too.
    test(name, async () => {
      const heard = await outcome(script(file, source), name.includes("memory") ? 120_000 : 1000);
      assert.match(String(heard), expected);
    });
  }
});

describe("a script is sent slice after slice", () => {
  const slices = (file: string, count: number): Promise<string | null> => {
    return new Promise((resolve, reject) => {
      let left = count;
      const send = (thread: ScriptThread) => {
        const slice = sliceOf([frameOf(new Dialogue().client(0, "x"))], BEGIN_US);
        thread.send(slice, [slice.frames.buffer]);
      };
      ScriptThread.start({ files: [file], isLive: false }).then((thread) => {
        const done = () => {
          if (--left > 0) return send(thread);
          thread.listen({ done() {}, aside() {}, over() {} });
          thread.close();
          resolve(null);
        };
        thread.listen({ done, aside() {}, over: resolve });
        send(thread);
      }, reject);
    });
  };

  test("that keeps 20 MB more with each is ended at 256 MiB", async () => {
    const source = "const all = [];\nexport function packet() { all.push(new Array(2.5e6).fill(all.length + 0.5)); }";
    assert.match(String(await slices(script("leak.mjs", source), 20)), /has filled its memory of 256 MiB/);
  });

  test("that leaves 80 MB of garbage behind with each, and keeps 80, goes on", async () => {
    const source = `const kept = new Array(1e7).fill(0.5);
      export function packet() { new Array(1e7).fill(kept.length + 0.5); }`;
    assert.equal(await slices(script("garbage.mjs", source), 20), null);
  });
});

describe("an error that nobody waits for is told with its place:", () => {
  const rows: readonly [string, string, string][] = [
    ["of an async function", "d1.mjs", "\nexport async function packet() { throw new Error('odd'); }"],
    ["of a timer", "d2.mjs", "export function packet() {\n  setTimeout(() => { throw new Error('odd'); }, 1);\n}"],
    ["of a promise", "d3.mjs", "export function packet() {\n  void Promise.reject(new Error('odd'));\n}"],
  ];
  for (const [name, file, source] of rows) {
    test(name, async () => assert.match(String(await outcome(script(file, source))), /d\d\.mjs:2: Error: odd$/));
  }
});

describe("a script is refused, with its name and line, where", () => {
  const rows: readonly [string, string, string, RegExp][] = [
    ["its syntax is wrong", "e.mjs", "const a = 1;\n\nexport function packet( {", /e\.mjs:3: SyntaxError/],
    ["it throws", "f.mjs", `\nthrow new Error("odd\\nthing");`, /f\.mjs:2: Error: odd thing/],
    ["it imports what is not there", "g.mjs", `import "no-such-package";`, /g\.mjs: Error: Cannot find package/],
    [
      "it exports nothing of use",
      "h.mjs",
      "export const a = 1;",
      /h\.mjs: it exports none of packet, transaction, tick, end/,
    ],
    ["it exports what is no function", "i.mjs", "export const packet = 1;", /i\.mjs: its export packet is no function/],
    ["it exits", "j.mjs", "process.exit(0);", /j\.mjs: it ended its own thread/],
  ];
  for (const [name, file, source, expected] of rows) {
    test(name, async () => {
      await assert.rejects(ScriptThread.start({ files: [script(file, source)], isLive: false }), (error: Error) => {
        assert.match(error.message, expected);
        assert.ok(!error.message.includes("\n"));
        return true;
      });
    });
  }
});

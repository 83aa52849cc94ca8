import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import fc from "fast-check";
import { memcached } from "../../src/protocols/memcached.ts";
import { missingProgram, type RealServer, startMemcached } from "../support/servers.ts";
import { play, type Step } from "../support/transcript.ts";
import { until } from "../support/until.ts";

const skip = missingProgram("memcached") ?? false;

let server: RealServer | null = null;
after(async () => await server?.stop());

interface Meta {
  readonly text: string;
  readonly isQuiet: boolean;
}

/** Few keys, so that there are hits and misses; `n` is a number, and `t` none. */
const key = fc.constantFrom("a", "b", "n", "t", "none");
const number = fc.nat({ max: 9 });
const flags = fc.tuple(
  fc.boolean(),
  fc.constantFrom("", "", " k", " O@", " k O@"),
  fc.constantFrom("", " C99999", " b", " !"),
  fc.constantFrom("", " v", " N0 J3 v"),
  fc.constantFrom("", " ME", " MR", " MS"),
);

const meta: fc.Arbitrary<Meta> = fc
  .tuple(fc.constantFrom("mg", "ms", "md", "ma", "me", "get", "delete", "version"), key, flags, number)
  .map(([command, name, [isQuiet, echo, rare, value, mode], digit]) => {
    const quiet = isQuiet ? " q" : "";
    const odd = digit < 2 ? rare : "";
    const tail = `${quiet}${echo.replace("@", `${digit}`)}`;
    if (command === "version") return { text: "version\r\n", isQuiet: false };
    if (command === "me" || command === "get" || command === "delete")
      return { text: `${command} ${name}\r\n`, isQuiet: false };
    if (command === "ms")
      return {
        text: `ms ${name} 1${tail}${odd}${digit < 5 ? mode : ""}\r\n${name === "n" ? digit : "x"}\r\n`,
        isQuiet,
      };
    return { text: `${command} ${name}${tail}${odd}${command === "md" ? "" : value}\r\n`, isQuiet };
  });

/** Bursts, sent one after another: `true` where the client waits for the answer of a final mn. */
const bursts = fc.array(fc.tuple(fc.array(meta, { minLength: 1, maxLength: 12 }), fc.boolean()), {
  minLength: 1,
  maxLength: 6,
});

/** What the server says to these bytes, up to the MN of the last mn. */
async function ask(socket: Socket, text: string, mns: number): Promise<string> {
  const heard: string[] = [];
  const hear = (bytes: Buffer) => heard.push(bytes.toString("latin1"));
  socket.on("data", hear);
  socket.write(text, "latin1");
  await until("MN", () => (heard.join("").match(/^MN\r$/gm) ?? []).length >= mns);
  socket.off("data", hear);
  return heard.join("");
}

function step(direction: Step["direction"], text: string): Step {
  return { direction, bytes: Buffer.from(text, "latin1"), missing: 0, isResync: false };
}

/** The heads of what is told of a burst, its MN last; fails unless each request that is not quiet got a reply, and nothing is left. */
function check(burst: readonly Meta[], heads: readonly string[]): void {
  const told = heads.filter((head) => /^(answer|settled|no reply|orphan|unmatched|\w+ refused)/.test(head));
  assert.deepEqual(
    told.filter((head) => /^(orphan|unmatched|\w+ refused)/.test(head)),
    [],
  );
  assert.equal(told.length, burst.length);
  for (const [index, { text, isQuiet }] of burst.entries()) {
    const name = text.split(/[ \r]/, 1)[0]!.toUpperCase();
    assert.match(told[index]!, new RegExp(`^${isQuiet ? "(answer|settled)" : "answer"} ${name}\\b`));
  }
}

test("of meta commands, quiet and not, each that is not quiet gets its own reply of a real server", {
  skip,
}, async () => {
  server ??= await startMemcached();
  const socket = connect(server.port, server.host);
  await once(socket, "connect");
  try {
    await fc.assert(
      fc.asyncProperty(bursts, async (script) => {
        const mn: Meta = { text: "mn\r\n", isQuiet: false };
        const all = script.flatMap(([burst, isEnded]) => (isEnded ? [...burst, mn] : burst));
        all.push(mn);
        const text = all.map((each) => each.text).join("");
        const client = step("client", text);
        const heard = await ask(socket, text, all.filter((each) => each === mn).length);
        const wants = { text: true, values: false };
        const events = play(memcached, [client, step("server", heard)], wants);
        check(
          all,
          events.map(({ head }) => head),
        );
        const bytewise = [...heard].map((byte) => step("server", byte));
        assert.deepEqual(play(memcached, [client, ...bytewise], wants), events);
      }),
      { numRuns: 600 },
    );
  } finally {
    socket.destroy();
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { COMMANDS, isKnownVersion } from "../../src/protocols/kafka/apis.ts";
import { compile, Op, type Program, STEP } from "../../src/protocols/kafka/layout.ts";
import { programOf } from "../../src/protocols/kafka/programs.ts";
import { REQUEST_LAYOUTS } from "../../src/protocols/kafka/request-layouts.ts";
import { RESPONSE_LAYOUTS } from "../../src/protocols/kafka/response-layouts.ts";
import { Walker } from "../../src/protocols/kafka/walker.ts";

const APIS = COMMANDS.slice(1, -1);

function opsOf({ steps }: Program): (string | number)[] {
  const names = Object.keys(Op);
  return Array.from({ length: steps.length / STEP }, (_, i) => names[steps[i * STEP]!]!);
}

function programsOf(apiKey: number): Program[] {
  const found: Program[] = [];
  for (let version = 0; isKnownVersion(apiKey, version); version++) {
    for (const isRequest of [true, false]) {
      for (const wantsNames of [true, false]) found.push(programOf(apiKey, version, isRequest, wantsNames)!);
    }
  }
  return found;
}

test("each version of each api has steps that end, whose jumps lead to steps", () => {
  for (let apiKey = 0; apiKey < APIS.length; apiKey++) {
    for (const { steps } of programsOf(apiKey)) {
      assert.equal(steps[steps.length - STEP], Op.end, APIS[apiKey]);
      for (let at = 0; at < steps.length; at += STEP) {
        if (![Op.array, Op.compactArray, Op.next].some((op) => op === steps[at])) continue;
        const target = steps[at + 1]!;
        assert.ok(target % STEP === 0 && target >= 0 && target < steps.length, APIS[apiKey]);
      }
    }
  }
});

test("every layout is an api's, and every api says what its responses are", () => {
  for (const name of [...Object.keys(REQUEST_LAYOUTS), ...Object.keys(RESPONSE_LAYOUTS)])
    assert.ok(APIS.includes(name), name);
  for (const name of APIS) assert.ok(name in RESPONSE_LAYOUTS, name);
});

test("fields of other versions are left out, and what nobody asks for is passed in one step", () => {
  const layout = "a:i32 b:i16@2 c:i64@0-1 d:str list@1[ e:i8 f:uuid ]";
  assert.deepEqual(opsOf(compile(layout, 0, false, false, false, false)), ["skip", "text", "end"]);
  assert.deepEqual(opsOf(compile(layout, 2, false, false, false, false)), [
    "skip",
    "text",
    "array",
    "skip",
    "next",
    "end",
  ]);
  const named = ["number", "number", "compactText", "compactArray", "number", "uuid", "tags", "next", "tags", "end"];
  assert.deepEqual(opsOf(compile(layout, 2, true, true, false, false)).slice(0, 8), named.slice(0, 8));
});

test("a layout with a slip is refused", () => {
  for (const slip of ["a:i33", "a:", "a::i32", "list[ a ]"])
    assert.throws(() => compile(slip, 0, false, false, false, false), slip);
});

test("whatever the bytes are, and however they are cut, the same is read, within the message", () => {
  const bodies = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(255)), { maxLength: 120 });
  const anyProgram = fc.nat(APIS.length - 1).chain((apiKey) => fc.constantFrom(...programsOf(apiKey)));
  const read = (program: Program, bytes: Uint8Array, sizes: readonly number[]) => {
    const walker = new Walker(null);
    walker.begin(program, false);
    let at = 0;
    for (let i = 0; at < bytes.length; i++) {
      const end = Math.min(bytes.length, at + (sizes[i % sizes.length] ?? bytes.length));
      if (!walker.isOver) walker.walk(bytes, at, end, bytes.length - at);
      at = end;
    }
    const { errorCode, throttleMs, acks, maxWaitMs, recordBytes, isBroken, isOver } = walker;
    return { errorCode, throttleMs, acks, maxWaitMs, recordBytes, isBroken, isOver };
  };
  fc.assert(
    fc.property(
      anyProgram,
      bodies,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (program, body, sizes) => {
        const bytes = Uint8Array.from(body);
        const whole = read(program, bytes, []);
        assert.deepEqual(read(program, bytes, sizes), whole);
        assert.ok(whole.recordBytes <= bytes.length);
      },
    ),
    { numRuns: 3000 },
  );
});

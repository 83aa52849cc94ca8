/**
 * The notation of what is read of messages, and its translation into steps for `Walker`.
 *
 *     name:type@versions!role     a field; without a name nobody is told of it, `@3` from version 3 on, `@0-7` up to 7
 *     name@versions[ … ]          an array of structures;  name( … )  of anything else
 *     { … }                       a structure
 *     .@versions                  nothing behind it is read: the walk ends
 *
 * Types are those of Kafka's protocol guide ("Protocol Primitive Types"): `str` is STRING or NULLABLE_STRING, COMPACT_… in flexible
 * versions; likewise `bytes` and `records`; `ints` is an array of INT32. Each structure of a flexible version ends with tagged fields.
 */

/** What a field means to more than `--details`. */
export const Role = {
  none: 0,
  /** The first with a value is the request's key. */
  key: 1,
  /** A group: a word of the summary. */
  group: 2,
  acks: 3,
  wait: 4,
  error: 5,
  throttle: 6,
  client: 7,
  /** An api key, and the first and last version of it. */
  api: 8,
  first: 9,
  last: 10,
  /** An array of which each element is told in one line: none of them holds another array. */
  row: 11,
  /** An array of which nothing but the number of elements is told. */
  count: 12,
} as const;
export type Role = (typeof Role)[keyof typeof Role];

export const Op = {
  /** Nothing more is read: `argument` 1 where there may be records all the same. */
  end: 0,
  /** `argument` bytes of no interest. */
  skip: 1,
  /** A signed integer of `argument` bytes. */
  number: 2,
  uuid: 3,
  /** A length of two bytes, or a varint (one more than it is), and so many bytes. */
  text: 4,
  compactText: 5,
  /** A length of four bytes, or a varint, and so many bytes: `argument` 1 where they are records. */
  bytes: 6,
  compactBytes: 7,
  /** A count of four bytes, or a varint: what follows up to `next` so often; for none on at `argument`. */
  array: 8,
  compactArray: 9,
  /** The end of an array's element: back to `argument` while more are to come. */
  next: 10,
  /** A count and so many INT32. */
  integers: 11,
  compactIntegers: 12,
  /** Tagged fields: a count, and for each a tag, a length and so many bytes; varints all. */
  tags: 13,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** Numbers a step: op, argument, role, index of its name (-1: none). */
export const STEP = 4;

/** Steps, and the names they tell. */
export interface Program {
  readonly steps: Int32Array;
  readonly names: readonly string[];
}

const SIZES: Readonly<Record<string, number>> = { i8: 1, bool: 1, i16: 2, i32: 4, i64: 8 };
const FIELD = /^(\w*)(?::(\w+))?(?:@(\d+)(?:-(\d+))?)?(?:!(\w+))?$/;
const OPENING = /[[({]$/;

class Compiler {
  private readonly steps: number[] = [];
  private readonly names: string[] = [];
  private readonly words: readonly string[];
  private readonly version: number;
  private readonly isFlexible: boolean;
  private readonly wantsNames: boolean;
  private at = 0;
  /** Seen so far: arrays whose elements are told, and fields with a name. */
  private arrays = 0;
  private named = 0;

  constructor(layout: string, version: number, isFlexible: boolean, wantsNames: boolean) {
    this.words = layout.split(/\s+/).filter((word) => word !== "");
    this.version = version;
    this.isFlexible = isFlexible;
    this.wantsNames = wantsNames;
  }

  /** `isRequest`: the client's name stands before; `hasTags`: the header ends with tagged fields. */
  compile(isRequest: boolean, hasTags: boolean): Program {
    if (isRequest) this.step(Op.text, 0, Role.client, "client_id");
    if (hasTags) this.step(Op.tags, 0, Role.none, "");
    this.fields(true);
    this.step(Op.end, 0, Role.none, "");
    return { steps: Int32Array.from(this.steps), names: this.names };
  }

  /** Up to where a structure closes. `isWanted`: it is part of this version. */
  private fields(isWanted: boolean): void {
    while (this.at < this.words.length) {
      const word = this.words[this.at++]!;
      if (word === "]" || word === ")" || word === "}") return;
      if (OPENING.test(word)) this.structure(word, isWanted);
      else if (word.startsWith(".")) {
        if (isWanted && this.parse(word.slice(1)).isOfVersion) this.step(Op.end, 1, Role.none, "");
      } else this.field(word, isWanted);
    }
  }

  private structure(word: string, isWanted: boolean): void {
    const { name, isOfVersion } = this.parse(word.slice(0, -1));
    const isThere = isWanted && isOfVersion;
    const isArray = !word.endsWith("{");
    const start = this.steps.length;
    if (isThere && isArray) this.step(this.isFlexible ? Op.compactArray : Op.array, 0, Role.none, name);
    const body = this.steps.length;
    const [arraysBefore, namedBefore] = [this.arrays, this.named];
    this.fields(isThere);
    if (!isThere) return;
    if (this.isFlexible && !word.endsWith("(")) this.step(Op.tags, 0, Role.none, "");
    if (!isArray) return;
    const isCount = this.named === namedBefore;
    const role = isCount ? Role.count : this.arrays === arraysBefore ? Role.row : Role.none;
    if (!isCount) this.arrays++;
    this.steps[start + 2] = role;
    this.step(Op.next, body, role, "");
    this.steps[start + 1] = this.steps.length;
  }

  private field(word: string, isWanted: boolean): void {
    const { name, type, isOfVersion, role } = this.parse(word);
    if (!isWanted || !isOfVersion) return;
    if (name !== "") this.named++;
    const size = SIZES[type];
    const isQuiet = role === Role.none && (name === "" || !this.wantsNames);
    if (size !== undefined) {
      if (isQuiet) this.skip(size);
      else this.step(Op.number, size, role, name);
      return;
    }
    const flexibly = this.isFlexible ? 1 : 0;
    switch (type) {
      case "uuid":
        if (isQuiet) this.skip(16);
        else this.step(Op.uuid, 0, role, name);
        return;
      case "str":
        this.step((Op.text + flexibly) as Op, 0, role, name);
        return;
      case "bytes":
      case "records":
        this.step((Op.bytes + flexibly) as Op, type === "records" ? 1 : 0, role, name);
        return;
      case "ints":
        this.step((Op.integers + flexibly) as Op, 0, role, name);
        return;
      default:
        throw new Error(`there is no type of "${word}"`);
    }
  }

  private parse(word: string): { name: string; type: string; isOfVersion: boolean; role: Role } {
    const match = FIELD.exec(word);
    if (match === null) throw new Error(`"${word}" is no field`);
    const [, name = "", type = "", first = "0", last = "", role = "none"] = match;
    const upTo = last === "" ? Number.POSITIVE_INFINITY : Number(last);
    const isOfVersion = this.version >= Number(first) && this.version <= upTo;
    return { name, type, isOfVersion, role: Role[role as keyof typeof Role] };
  }

  /** Fields of a fixed size that nobody asks for, one after the other, are passed in one step. */
  private skip(bytes: number): void {
    const last = this.steps.length - STEP;
    if (last >= 0 && last >= this.lastTarget() && this.steps[last] === Op.skip) this.steps[last + 1]! += bytes;
    else this.step(Op.skip, bytes, Role.none, "");
  }

  /** Steps before this are not to be merged with: others jump behind them. */
  private lastTarget(): number {
    for (let step = this.steps.length - STEP; step >= 0; step -= STEP) {
      const op = this.steps[step]!;
      if (op === Op.next || op === Op.array || op === Op.compactArray) return step + STEP;
    }
    return 0;
  }

  private step(op: Op, argument: number, role: Role, name: string): void {
    let index = -1;
    if (name !== "" && this.wantsNames) {
      index = this.names.indexOf(name);
      if (index < 0) index = this.names.push(name) - 1;
    }
    this.steps.push(op, argument, role, index);
  }
}

/** Translates a layout for one version of its api's messages. `wantsNames`: fields are told one by one. */
export function compile(
  layout: string,
  version: number,
  isFlexible: boolean,
  wantsNames: boolean,
  isRequest: boolean,
  hasTags: boolean,
): Program {
  return new Compiler(layout, version, isFlexible, wantsNames).compile(isRequest, hasTags);
}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Node, Scalar } from "yaml";
import { TcplatError } from "../errors.ts";
import { FILTER_KEY, type Given, type GivenOptions, quoted } from "./given.ts";
import { nearest } from "./nearest.ts";
import { findByName, OPTION_TABLE, type OptionSpec } from "./table.ts";

type Yaml = typeof import("yaml");

/** A file longer than this is no configuration of ours. */
const MAX_BYTES = 1 << 20;

/** `--config FILE`: YAML with the options' long names as keys, and `filter`. Throws TcplatError "usage" with the place, or "file". */
export function readConfigFile(path: string): GivenOptions {
  return parseConfig(path, readText(path));
}

/** The text of a configuration file. Each message begins with `path:line:column`. */
export function parseConfig(path: string, text: string): GivenOptions {
  // yaml takes 30 ms to load, and few runs need it.
  const yaml: Yaml = createRequire(import.meta.url)("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [fault] = document.errors;
  if (fault !== undefined) throw usage(`${place(fault.pos[0])}: this is no YAML: ${oneLine(fault.message)}`);
  const { contents } = document;
  if (contents === null) return new Map();
  if (!yaml.isMap(contents)) throw usage(`${placeOf(contents, place)}: write options as "name: value", one a line`);
  const given = new Map<string, readonly Given[]>();
  for (const pair of contents.items) {
    const key = pair.key as Node;
    const name = yaml.isScalar(key) ? String(key.value) : "";
    const entry = new Entry(yaml, name, placeOf(key, place), place);
    given.set(KEYS.get(name) ?? name, entry.read(pair.value as Node | null));
  }
  return given;
}

/** Names in a file that are none on the command line: `filter` was libpcap's there before --filter came. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["filter", FILTER_KEY],
  ["transaction-filter", "filter"],
]);

/** One `name: value` of the file. */
class Entry {
  readonly #yaml: Yaml;
  readonly #name: string;
  readonly #keyPlace: string;
  readonly #place: (offset: number) => string;

  constructor(yaml: Yaml, name: string, keyPlace: string, place: (offset: number) => string) {
    this.#yaml = yaml;
    this.#name = name;
    this.#keyPlace = keyPlace;
    this.#place = place;
  }

  read(node: Node | null): readonly Given[] {
    const spec = this.#spec();
    if (this.#yaml.isSeq(node) && spec.kind === "list")
      return node.items.map((item) => this.#scalar(spec, item as Node));
    return [this.#scalar(spec, node)];
  }

  #spec(): Pick<OptionSpec, "kind"> {
    if (KEYS.has(this.#name)) return { kind: "value" };
    const spec = findByName(this.#name);
    if (spec?.isConfigurable) return spec;
    if (spec !== undefined)
      throw usage(`${this.#keyPlace}: ${this.#name} belongs on the command line, not into the file`);
    const names = [...KEYS.keys(), ...OPTION_TABLE.filter((each) => each.isConfigurable).map((each) => each.name)];
    const meant = this.#name.length > 2 ? nearest(this.#name, names) : "";
    const remedy = meant === "" ? `the names are ${names.join(", ")}` : `did you mean ${meant}?`;
    throw usage(`${this.#keyPlace}: there is no option ${quoted(this.#name)}: ${remedy}`);
  }

  #scalar(spec: Pick<OptionSpec, "kind">, node: Node | null): Given {
    const value: unknown = this.#yaml.isScalar(node) ? node.value : null;
    const place = `${node === null ? this.#keyPlace : placeOf(node, this.#place)}: ${this.#name}`;
    if (spec.kind === "flag") {
      if (typeof value !== "boolean") throw usage(`${place} must be true or false`);
      return { text: String(value), place, isFromCommandLine: false };
    }
    if (typeof value !== "string" && typeof value !== "number") {
      throw usage(`${place} must be ${spec.kind === "list" ? "a text, or a list of texts" : "a text or a number"}`);
    }
    // A number as it was written: 06379 is no octal here, and 0x10 is no port.
    const text = typeof value === "number" ? ((node as Scalar).source ?? String(value)) : value;
    if (text.trim() === "") throw usage(`${place} is empty: give it a value or leave it out`);
    return { text, place, isFromCommandLine: false };
  }
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES)
      throw usage(`--config ${quoted(path)}: more than ${MAX_BYTES} bytes: is it the right file?`);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof TcplatError) throw error;
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const remedy = reason === "ENOENT" ? "there is no such file" : `it cannot be read (${reason})`;
    throw new TcplatError("file", `--config ${quoted(path)}: ${remedy}: name a YAML file of options`);
  }
}

function placeOf(node: Node, place: (offset: number) => string): string {
  return place(node.range?.[0] ?? 0);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 200);
}

function usage(sentence: string): TcplatError {
  return new TcplatError("usage", sentence);
}

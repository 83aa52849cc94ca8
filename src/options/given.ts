import { TcplatError } from "../errors.ts";
import { OPTION_TABLE } from "./table.ts";

/** One text given for an option, and where: `--threshold`, or `tcplat.yaml:3:12: threshold`. A flag's is `true` or `false`. */
export interface Given {
  readonly text: string;
  readonly place: string;
  readonly isFromCommandLine: boolean;
}

/** What was given, by the option's long name. Only a list option has more than one entry. */
export type GivenOptions = ReadonlyMap<string, readonly Given[]>;

/** The key in `GivenOptions` of the words that are no option: libpcap's filter. */
export const FILTER_KEY = "capture-filter";

/** The one text given for an option, if any. */
export function find(given: GivenOptions, name: string): Given | undefined {
  return given.get(name)?.[0];
}

/** The same, or else the table's default, as if it had been given. */
export function findOrPreset(given: GivenOptions, name: string): Given {
  const preset = OPTION_TABLE.find((spec) => spec.name === name)?.preset ?? "";
  return find(given, name) ?? { text: preset, place: `--${name}`, isFromCommandLine: false };
}

/** Whether a flag is given, and not as `--no-…`. */
export function isOn(given: GivenOptions, flag: string): boolean {
  return find(given, flag)?.text === "true";
}

/** The error for something given that cannot be: place, what was given, and a remedy. */
export function refused(given: Given, remedy: string): TcplatError {
  return new TcplatError("usage", `${given.place} ${quoted(given.text)}: ${remedy}`);
}

/** Text of the user's, on one line and bounded, to stand in a message. */
export function quoted(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return /^[\w.:,/@%+[\]-]+…?$/.test(shown) ? shown : JSON.stringify(shown);
}

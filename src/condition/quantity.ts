import { Fault } from "./fault.ts";
import type { Token } from "./lexer.ts";

const US_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["us", 1],
  ["µs", 1],
  ["μs", 1],
  ["ms", 1000],
  ["s", 1_000_000],
  ["m", 60_000_000],
]);
/** As disks and networks count; with an i by 1024. */
const BYTES_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1000],
  ["kb", 1000],
  ["m", 1_000_000],
  ["mb", 1_000_000],
  ["g", 1_000_000_000],
  ["gb", 1_000_000_000],
  ["ki", 1024],
  ["kib", 1024],
  ["mi", 1 << 20],
  ["mib", 1 << 20],
  ["gi", 1 << 30],
  ["gib", 1 << 30],
]);

/** The value of an operand, in what the field is counted in. `isInUs`: a duration without a unit is in µs. Throws Fault. */
export function parseQuantity(type: "duration" | "size" | "count" | "time", operand: Token, isInUs: boolean): number {
  if (type === "time") return parseMoment(operand);
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)(\p{L}*)$/u.exec(operand.kind === "text" ? "" : operand.text) ?? [];
  const number = Number(digits);
  if (type === "count") {
    if (digits === undefined || unit !== "") throw new Fault("this must be a number, without a unit", operand);
    return number;
  }
  if (type === "size") {
    const scale = BYTES_PER_UNIT.get(unit.toLowerCase());
    if (digits === undefined || scale === undefined) {
      throw new Fault("this must be a number of bytes: 512, 64k, 10m (by 1000), or 64ki, 10mi (by 1024)", operand);
    }
    return number * scale;
  }
  const scale = unit === "" && (isInUs || number === 0) ? 1 : US_PER_UNIT.get(unit);
  if (digits === undefined || scale === undefined) {
    throw new Fault("this must be a duration with its unit: 500us, 1.5ms, 2s or 1m", operand);
  }
  // Rounded to a thousandth: 1.001 * 1000 is not 1001 in binary.
  return Math.round(number * scale * 1000) / 1000;
}

/** A quoted time as the record has it (`"2026-11-21T00:55:59.673375Z"`), or without its end; local where no Z says it is not. In µs. */
function parseMoment(operand: Token): number {
  const [, second, fraction = ""] =
    /^(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,6}))?/.exec(
      operand.kind === "text" ? operand.text : "",
    ) ?? [];
  const zone = operand.text.slice((second ?? "").length + (fraction === "" ? 0 : fraction.length + 1));
  const isDay = second?.length === 10;
  const ms = /^(|Z|[+-]\d\d:\d\d)$/.test(zone)
    ? Date.parse(`${second?.replace(" ", "T")}${isDay && zone === "" ? "T00:00" : ""}${zone}`)
    : Number.NaN;
  if (Number.isNaN(ms))
    throw new Fault(
      'this must be a time in quotes: "2026-11-21 00:55:59.67", or with T and Z as in the record',
      operand,
    );
  return ms * 1000 + Number(fraction.padEnd(6, "0"));
}

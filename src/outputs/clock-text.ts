import { localSecond } from "./plain-text.ts";
import { Literal, putDigits, putLiteral, type Room } from "./put.ts";

const SECOND_BYTES = 19;

/** Writes times as `2020-03-08 19:23:06.258761`; the text up to the second is kept, since most times share it. */
export class ClockText {
  private second = Number.NaN;
  private text = new Literal("");
  private readonly zone: "local" | "utc";

  /** Local time has a blank between date and time, UTC a `T` (ISO 8601; the `Z` is the caller's). */
  constructor(zone: "local" | "utc") {
    this.zone = zone;
  }

  /** `us` since the epoch. Returns where the 26 bytes end. */
  put(room: Room, at: number, us: number): number {
    const second = Math.floor(us / 1e6);
    if (second !== this.second) this.take(second);
    return putDigits(room.bytes, putLiteral(room, at, this.text), us - second * 1e6, 6);
  }

  private take(second: number): void {
    this.second = second;
    const date = new Date(second * 1000);
    const text = this.zone === "utc" ? date.toISOString().slice(0, SECOND_BYTES) : localSecond(date);
    this.text = new Literal(`${text}.`);
  }
}

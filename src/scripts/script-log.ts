import type { Printed, ScriptError } from "./messages.ts";

/** Different errors told at once. */
const ERRORS_TOLD = 16;

/** What scripts print and what goes wrong in them, until it is handed over. */
export class ScriptLog {
  /** Where in the slice what is printed now belongs (`Place`). */
  place = 0;
  /** Called for what comes while no slice is run: in somebody's callback. */
  onAside: (() => void) | null = null;
  #texts: Uint8Array[] = [];
  #bytes = 0;
  #marks: number[] = [];
  #errors = new Map<string, number>();

  print(text: Uint8Array): void {
    if (text.length === 0) return;
    this.#texts.push(text);
    this.#bytes += text.length;
    const { length } = this.#marks;
    if (length > 0 && this.#marks[length - 2] === this.place) this.#marks[length - 1] = this.#bytes;
    else this.#marks.push(this.place, this.#bytes);
    this.onAside?.();
  }

  /** `message` names the file and the line. */
  fail(message: string, count = 1): void {
    const isKnown = this.#errors.has(message) || this.#errors.size < ERRORS_TOLD;
    const told = isKnown ? message : "more errors, of other kinds";
    this.#errors.set(told, (this.#errors.get(told) ?? 0) + count);
    this.onAside?.();
  }

  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#errors.size === 0;
  }

  takePrinted(): Printed {
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const text of this.#texts) {
      bytes.set(text, at);
      at += text.length;
    }
    const marks = this.#marks;
    this.#texts = [];
    this.#marks = [];
    this.#bytes = 0;
    return { bytes, marks };
  }

  takeErrors(): ScriptError[] {
    const errors = [...this.#errors].map(([message, count]) => ({ message, count }));
    this.#errors = new Map();
    return errors;
  }
}

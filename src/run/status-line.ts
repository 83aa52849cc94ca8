import { writeAll, writePatiently } from "../write-all.ts";

const STDERR = 2;

/** The last line of a terminal's standard error, which is written over and over, and the lines above it. */
export class StatusLine {
  #shown = "";
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void = (text) => void writeAll(STDERR, text)) {
    this.#write = write;
  }

  /** Shows this line in place of the one before; "" for none. Printable ASCII, shorter than the terminal is wide. */
  show(line: string): void {
    if (line === "" && this.#shown === "") return;
    // Blanks: not every terminal knows how to erase.
    const rest = " ".repeat(Math.max(0, this.#shown.length - line.length));
    this.#write(`\r${line}${rest}\r`);
    this.#shown = line;
  }

  /** Writes lines that stay, above it. */
  above(lines: string): void {
    const shown = this.#shown;
    this.show("");
    this.#write(lines);
    this.show(shown);
  }

  /** Writes the last lines of a run, however slowly they are read; nothing is shown below them. */
  async end(lines: string): Promise<void> {
    this.show("");
    await writePatiently(STDERR, lines);
  }
}

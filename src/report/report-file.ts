import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isSameFile } from "../capture/same-file.ts";
import { TcplatError } from "../errors.ts";

/** A file that is replaced as a whole: who opens it sees the page of before or the new one, never half of one. */
export class ReportFile {
  readonly name: string;
  readonly #target: string;
  readonly #temporary: string;

  /** Makes sure that it can be written, and leaves it as it is. `source`: the file that is read. Throws TcplatError "file". */
  constructor(name: string, source: string | null = null) {
    this.name = name;
    if (source !== null && isSameFile(name, source)) {
      throw new TcplatError("file", `the report ${name} would overwrite the file that -r reads: name another one`);
    }
    try {
      const present = statSync(name, { throwIfNoEntry: false });
      if (present !== undefined && !present.isFile()) throw new Error("it is no regular file");
      this.#target = present === undefined ? name : realpathSync(name);
      this.#temporary = join(dirname(this.#target), `.${basename(this.#target)}.${process.pid}`);
      closeSync(openSync(this.#temporary, "w"));
      rmSync(this.#temporary);
    } catch (error) {
      throw new TcplatError("file", `the report ${name} cannot be written: ${reasonOf(error)}`);
    }
  }

  /** Replaces what it holds. Throws TcplatError "running". */
  write(text: string): void {
    try {
      const descriptor = openSync(this.#temporary, "w");
      try {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(this.#temporary, this.#target);
    } catch (error) {
      rmSync(this.#temporary, { force: true });
      throw new TcplatError("running", `the report ${this.name} cannot be written: ${reasonOf(error)}`);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

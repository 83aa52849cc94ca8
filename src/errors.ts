/**
 * What went wrong, as a user's script can tell it apart, and the exit status it ends with:
 * 2 wrong usage, 1 failed while running, 77 no permission to capture.
 */
export const EXIT_STATUS = {
  usage: 2,
  filter: 2,
  interface: 2,
  file: 2,
  running: 1,
  port: 1,
  engine: 1,
  permission: 77,
} as const;

export type ErrorCode = keyof typeof EXIT_STATUS;

/** An error of the operator's making (or of the machine's): one sentence that says what is wrong and names the remedy. */
export class TcplatError extends Error {
  readonly code: ErrorCode;
  /** Further lines below the sentence, such as the place in what was given. */
  readonly detail: readonly string[];

  constructor(code: ErrorCode, sentence: string, detail: readonly string[] = []) {
    super(sentence);
    this.name = "TcplatError";
    this.code = code;
    this.detail = detail;
  }

  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }
}

/** What to report where standard output takes no more: null where its reader is gone (the pipe closed, the terminal hung up), which is no error. */
export function unwritableOutput(error: NodeJS.ErrnoException): TcplatError | null {
  if (error.code === "EPIPE" || error.code === "ECONNRESET" || error.code === "EIO") return null;
  return new TcplatError("running", `standard output cannot be written: ${error.message}`);
}

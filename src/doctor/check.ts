/** One line of `tcplat doctor`. */
export interface Check {
  /** note: right as it is, and may yet become a problem. */
  readonly state: "ok" | "note" | "problem";
  readonly subject: string;
  /** What was found. */
  readonly finding: string;
  /** The command that mends it, or "" where nothing needs mending. */
  readonly remedy: string;
}

/** A check that found nothing wrong. */
export function ok(subject: string, finding: string): Check {
  return { state: "ok", subject, finding, remedy: "" };
}

/** A check that found something to mend. */
export function problem(subject: string, finding: string, remedy: string): Check {
  return { state: "problem", subject, finding, remedy };
}

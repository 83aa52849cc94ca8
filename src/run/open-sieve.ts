import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Condition } from "../condition/condition.ts";
import type { Fault } from "../condition/fault.ts";
import type { Sieve } from "../condition/sieve.ts";
import { TcplatError } from "../errors.ts";
import { escapeControls } from "../escape.ts";
import type { ConditionOptions, Options } from "../options.ts";

/** Of an expression, shown with the mark below. */
const SHOWN = 100;

/** Puts what `--filter` asks for before the outputs of a run. */
export type MakeSieve = (outputs: readonly TransactionOutput[]) => Sieve;

/** Compiles `--filter`, or returns null where there is none; loaded when wanted. Throws TcplatError "usage", with where it was given, and the place in it marked. */
export async function openSieve({ condition }: Options): Promise<MakeSieve | null> {
  if (condition === null) return null;
  const { Sieve } = await import("../condition/sieve.ts");
  const compiled = await compileCondition(condition);
  return (outputs) => new Sieve(compiled, outputs);
}

async function compileCondition({ expression, place }: ConditionOptions): Promise<Condition> {
  const { parseCondition } = await import("../condition/grammar.ts");
  const { Fault } = await import("../condition/fault.ts");
  try {
    return parseCondition(expression);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new TcplatError("usage", `${place}: ${error.message}`, marked(expression, error));
  }
}

/** The expression, and a line of carets below the place. */
function marked(expression: string, { start, end }: Fault): string[] {
  const from = Math.max(0, Math.min(start - SHOWN / 2, expression.length - SHOWN));
  const shown = (to: number, until: number): string =>
    escapeControls(expression.slice(to, Math.min(until, from + SHOWN)).replace(/\s/g, " "));
  const blanks = " ".repeat(columns(shown(from, start)));
  return [`  ${shown(from, from + SHOWN)}`, `  ${blanks}${"^".repeat(columns(shown(start, end)) || 1)}`];
}

/** Each character takes one column, wide ones apart. */
function columns(text: string): number {
  return Array.from(text).length;
}

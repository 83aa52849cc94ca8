import { compare, holds, type Operand, type Operator } from "./comparison.ts";
import type { Condition } from "./condition.ts";
import { Fault } from "./fault.ts";
import { FIELDS, type Field, findField } from "./fields.ts";
import { type Token, tokens } from "./lexer.ts";

/** Brackets within brackets. */
const MAX_DEPTH = 100;
const MAX_LIST = 1000;
const MAX_LENGTH = 4096;

/** The signs and words that compare, longest first where one begins another. */
const OPERATORS: readonly Operator[] = ["=", "!=", "<=", ">=", "<", ">", "=~", "!~", "in", "not in"];
const WORDS = ["and", "or", "not", "in"];

/**
 * Compiles an expression (native-notes/filter.md). Throws Fault. The grammar, one function each:
 *
 *     any        = all { "or" all }
 *     all        = one { "and" one }
 *     one        = "not" one | "(" any ")" | comparison
 *     comparison = field [ operator operand ]
 *     operand    = value | "[" value { "," value } "]"      (a list behind `in` alone, which takes round brackets, too)
 */
export function parseCondition(expression: string): Condition {
  if (expression.length <= MAX_LENGTH) return new Reader(tokens(expression)).whole();
  throw new Fault(`an expression has at most ${MAX_LENGTH} characters`, { start: MAX_LENGTH, end: MAX_LENGTH + 1 });
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  whole(): Condition {
    const condition = this.#any();
    const { kind, text } = this.#next;
    if (kind !== "end")
      throw new Fault(`${shown(text)} cannot stand here: "and" or "or" is missing before it`, this.#next);
    return condition;
  }

  #any(): Condition {
    let left = this.#all();
    while (this.#takes("or")) left = either(left, this.#all());
    return left;
  }

  #all(): Condition {
    let left = this.#one();
    while (this.#takes("and")) left = both(left, this.#one());
    return left;
  }

  #one(): Condition {
    const first = this.#next;
    if (++this.#depth > MAX_DEPTH) throw new Fault("too many brackets within brackets", first);
    try {
      if (this.#takes("not")) return negated(this.#one());
      if (!this.#takes("(")) return this.#comparison();
      const inner = this.#any();
      if (!this.#takes(")")) throw new Fault('the bracket opened here is never closed: ")" is missing', first);
      return inner;
    } finally {
      this.#depth--;
    }
  }

  #comparison(): Condition {
    const name = this.#take();
    const { field, isInUs } = fieldNamed(name);
    const sign = this.#next;
    const operator = this.#operator();
    if (operator === null) return holds(field, name);
    const operands = operator.endsWith("in") ? this.#list() : [this.#value()];
    return compare({ name, field, isInUs, operator, sign, operands });
  }

  #operator(): Operator | null {
    if (this.#next.text === "not" && this.#tokens[this.#at + 1]?.text === "in" && this.#next.kind === "atom") {
      this.#at += 2;
      return "not in";
    }
    const { kind, text } = this.#next;
    const found = kind === "text" ? undefined : OPERATORS.find((operator) => operator === text);
    if (found === undefined) return null;
    this.#at++;
    return found;
  }

  #list(): Operand[] {
    const open = this.#next;
    const closing = this.#takes("[") ? "]" : this.#takes("(") ? ")" : null;
    if (closing === null) return [this.#value()];
    const values = [this.#value()];
    while (this.#takes(",")) values.push(this.#value());
    if (!this.#takes(closing)) throw new Fault(`the list opened here is never closed: "${closing}" is missing`, open);
    if (values.length > MAX_LIST) throw new Fault(`a list has at most ${MAX_LIST} values`, open);
    return values;
  }

  #value(): Operand {
    const token = this.#take();
    if (token.kind === "end") throw new Fault("a value is missing at the end", token);
    if (token.kind === "sign") throw new Fault(`a value is missing before ${shown(token.text)}`, token);
    return token;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(): Token {
    const token = this.#next;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #takes(word: string): boolean {
    if (this.#next.kind === "text" || this.#next.text !== word) return false;
    this.#at++;
    return true;
  }
}

function fieldNamed(name: Token): { readonly field: Field; readonly isInUs: boolean } {
  if (name.kind === "end") throw new Fault("a field is missing at the end", name);
  if (name.kind === "text") throw new Fault("a comparison begins with a field, and this is a text", name);
  if (name.kind === "sign" || WORDS.includes(name.text))
    throw new Fault(`a field is missing before ${shown(name.text)}`, name);
  const found = findField(name.text);
  if (found !== undefined) return found;
  const near = [...FIELDS.keys()].find(
    (known) => known.startsWith(name.text) || name.text.startsWith(known) || isNear(name.text, known),
  );
  const remedy = near === undefined ? `the fields are ${[...FIELDS.keys()].join(", ")}` : `did you mean ${near}?`;
  throw new Fault(`there is no field ${shown(name.text)}: ${remedy}`, name);
}

/** One letter too many, too few, another one, or two in the wrong order. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  if (restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1)) return true;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function both(a: Condition, b: Condition): Condition {
  return { takes: (t) => a.takes(t) && b.takes(t), takesConnect: (c) => a.takesConnect(c) && b.takesConnect(c) };
}

function either(a: Condition, b: Condition): Condition {
  return { takes: (t) => a.takes(t) || b.takes(t), takesConnect: (c) => a.takesConnect(c) || b.takesConnect(c) };
}

function negated(of: Condition): Condition {
  return { takes: (t) => !of.takes(t), takesConnect: (c) => !of.takesConnect(c) };
}

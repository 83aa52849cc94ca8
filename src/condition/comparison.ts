import type { Endpoint } from "../transactions/transaction.ts";
import { FLAG_NAMES } from "../transactions/transaction.ts";
import type { Condition } from "./condition.ts";
import { Fault } from "./fault.ts";
import type { Field, Readers } from "./fields.ts";
import type { Token } from "./lexer.ts";
import { isOfNetwork, type Network, parseNetwork } from "./network.ts";
import { compilePattern, latin1, type Pattern } from "./pattern.ts";
import { parseQuantity } from "./quantity.ts";
import { byteText } from "./quoted-text.ts";

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" | "in" | "not in";
export type Operand = Token;

/** A comparison as it was written. */
export interface Comparison {
  readonly name: Token;
  readonly field: Field;
  /** The field was named as in the record, `…_us`. */
  readonly isInUs: boolean;
  readonly operator: Operator;
  /** Where the operator stands. */
  readonly sign: Token;
  readonly operands: readonly Operand[];
}

/** What each kind of field is called, and takes. */
const KINDS: Readonly<Record<Field["type"], { readonly name: string; readonly operators: readonly Operator[] }>> = {
  duration: { name: "a duration", operators: ["=", "!=", "<", "<=", ">", ">="] },
  size: { name: "a number of bytes", operators: ["=", "!=", "<", "<=", ">", ">="] },
  count: { name: "a number", operators: ["=", "!=", "<", "<=", ">", ">="] },
  time: { name: "a time of day", operators: ["<", "<=", ">", ">="] },
  text: { name: "a text", operators: ["=", "!=", "=~", "!~", "in", "not in"] },
  endpoint: { name: "an address and port", operators: ["=", "!=", "=~", "!~", "in", "not in"] },
  flags: { name: "a set of flags", operators: ["=", "!=", "in", "not in"] },
};

/** A field by itself: it is there, and neither zero nor empty. */
export function holds(field: Field, name: Token): Condition {
  switch (field.type) {
    case "text":
      return over(field, (value) => value !== null && value !== "");
    case "time":
    case "endpoint":
      throw new Fault(`${name.text} is ${KINDS[field.type].name} and must be compared with something`, name);
    default:
      return over(field, (value) => value > 0);
  }
}

/** Throws Fault where the two cannot be compared. */
export function compare(comparison: Comparison): Condition {
  const { field, operator, name, sign } = comparison;
  const { name: kind, operators } = KINDS[field.type];
  if (!operators.includes(operator)) {
    throw new Fault(
      `${name.text} is ${kind} and cannot be compared with "${operator}": it takes ${operators.join(", ")}`,
      sign,
    );
  }
  // An absent value is equal to nothing, so that `!=`, `!~` and `not in` are true of it: each is the contrary of the other.
  const isContrary = operator === "!=" || operator === "!~" || operator === "not in";
  const isContraryOf = (is: Condition): Condition =>
    isContrary ? { takes: (t) => !is.takes(t), takesConnect: (c) => !is.takesConnect(c) } : is;
  switch (field.type) {
    case "text":
      return isContraryOf(compareText(field, comparison));
    case "endpoint":
      return isContraryOf(compareEndpoint(field, comparison));
    case "flags":
      return isContraryOf(compareFlags(field, comparison));
    default:
      return isContraryOf(compareNumber(field, comparison));
  }
}

function over<Value>(readers: Readers<Value>, is: (value: Value) => boolean): Condition {
  const { of, ofConnect } = readers;
  return { takes: (transaction) => is(of(transaction)), takesConnect: (connect) => is(ofConnect(connect)) };
}

function compareNumber(
  field: Field & { readonly type: "duration" | "size" | "count" | "time" },
  comparison: Comparison,
): Condition {
  const bound = parseQuantity(field.type, comparison.operands[0]!, comparison.isInUs);
  switch (comparison.operator) {
    case "<":
      return over(field, (value) => value < bound);
    case "<=":
      return over(field, (value) => value <= bound);
    case ">":
      return over(field, (value) => value > bound);
    case ">=":
      return over(field, (value) => value >= bound);
    default:
      return over(field, (value) => value === bound);
  }
}

function compareText(field: Field & { readonly type: "text" }, { operator, operands, name }: Comparison): Condition {
  if (operator === "=~" || operator === "!~") {
    const is = patternOf(operands[0]!);
    return over(field, (value) => value !== null && is(value));
  }
  const wanted = new Set(operands.map((operand) => textOf(operand, field, name)));
  if (!field.ignoresCase) return over(field, (value) => value !== null && wanted.has(value));
  const upper = new Set([...wanted].map((text) => text.toUpperCase()));
  return over(field, (value) => value !== null && upper.has(value.toUpperCase()));
}

function textOf(operand: Operand, { values }: Field & { readonly type: "text" }, name: Token): string {
  if (operand.kind !== "text") {
    throw new Fault(`${name.text} is a text: put what it is compared with in quotes, "${operand.text}"`, operand);
  }
  const text = byteText(operand);
  if (values !== null && !values.includes(text)) {
    throw new Fault(`${name.text} is never that: it is one of ${values.join(", ")}`, operand);
  }
  return text;
}

function patternOf(operand: Operand): Pattern {
  if (operand.kind !== "text") throw new Fault('a regular expression stands in quotes, as in key =~ "^user:"', operand);
  // Backslashes are the pattern's own; only what the quotes needed is taken off.
  const quote = operand.text.replace(/\\(["'])/g, "$1");
  try {
    return compilePattern(quote);
  } catch (error) {
    throw new Fault(
      `no regular expression: ${(error as Error).message.replace(/^error parsing regexp: /, "")}`,
      operand,
    );
  }
}

function compareEndpoint(
  field: Field & { readonly type: "endpoint" },
  { operator, operands, name }: Comparison,
): Condition {
  if (operator === "=~" || operator === "!~") {
    const is = patternOf(operands[0]!);
    return over(
      field,
      remembered(({ text }) => is(latin1(text))),
    );
  }
  const networks = operands.map((operand) => networkOf(operand, name));
  return over(
    field,
    remembered(({ text }) => networks.some((network) => isOfNetwork(text, network))),
  );
}

function networkOf(operand: Operand, name: Token): Network {
  const network = parseNetwork(operand.text);
  if (network !== null) return network;
  throw new Fault(
    `${name.text} is an address and port: 10.0.0.1, 10.0.0.0/8, 10.0.0.1:6379, [2001:db8::1]:6379, 2001:db8::/32, or :6379 for a port`,
    operand,
  );
}

/** An endpoint's text never changes, and there is one of it for each connection: looked at once. */
function remembered(is: (endpoint: Endpoint) => boolean): (endpoint: Endpoint) => boolean {
  const known = new WeakMap<Endpoint, boolean>();
  return (endpoint) => {
    const before = known.get(endpoint);
    if (before !== undefined) return before;
    const verdict = is(endpoint);
    known.set(endpoint, verdict);
    return verdict;
  };
}

function compareFlags(field: Field & { readonly type: "flags" }, { operands, name }: Comparison): Condition {
  let mask = 0;
  for (const operand of operands) {
    const bit = operand.kind === "text" ? (FLAG_NAMES as readonly string[]).indexOf(operand.text) : -1;
    if (bit < 0) {
      throw new Fault(
        `${name.text} holds none of that: the flags are ${FLAG_NAMES.map((flag) => `"${flag}"`).join(", ")}`,
        operand,
      );
    }
    mask |= 1 << bit;
  }
  return over(field, (value) => (value & mask) !== 0);
}

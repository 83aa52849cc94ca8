/** The first byte of a value: its type, in RESP2 and RESP3. */
export const Type = {
  simple: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  array: 0x2a, // *
  null: 0x5f, // _
  boolean: 0x23, // #
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  bulkError: 0x21, // !
  verbatim: 0x3d, // =
  map: 0x25, // %
  set: 0x7e, // ~
  attribute: 0x7c, // |
  push: 0x3e, // >
  chunk: 0x3b, // ; a piece of a streamed string, `;0` ends it
  end: 0x2e, // . ends a streamed aggregate
} as const;

/** Types whose value is the rest of the line. `+` and `-` are told apart before. */
export function isLineType(type: number): boolean {
  return (
    type === Type.integer ||
    type === Type.null ||
    type === Type.boolean ||
    type === Type.double ||
    type === Type.bigNumber
  );
}

/** Types with a length or a count in their line. */
export function isCountedType(type: number): boolean {
  return (
    type === Type.bulk ||
    type === Type.array ||
    type === Type.push ||
    type === Type.map ||
    type === Type.set ||
    type === Type.attribute ||
    type === Type.verbatim ||
    type === Type.bulkError ||
    type === Type.chunk
  );
}

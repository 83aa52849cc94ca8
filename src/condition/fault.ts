/** Something in an expression that cannot be: thrown with its place, told to the user by `parseCondition`. */
export class Fault extends Error {
  /** Indexes into the expression: [start, end). */
  readonly start: number;
  readonly end: number;

  constructor(sentence: string, place: { readonly start: number; readonly end: number }) {
    super(sentence);
    this.start = place.start;
    this.end = place.end;
  }
}

import { AssertionError } from "node:assert";

/** So often a busy machine may get in the way of what has a time of its own. */
const TRIES = 3;

/**
 * Runs a test whose outcome the machine itself may spoil: one that stands still for 200 ms makes TCP send again, and closes windows,
 * without being asked to. What is wrong in the program is so each time, and the last try tells.
 */
export async function inCalm(act: () => Promise<void>): Promise<void> {
  for (let left = TRIES - 1; left > 0; left--) {
    try {
      await act();
      return;
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
    }
  }
  await act();
}

/** Of those made alike at least one must be so: a busy machine hinders one or the other. Throws what is wrong with the last. */
export function assertOne<T>(alike: readonly T[], check: (of: T) => void): void {
  let failure: unknown = new Error("there is none");
  for (const of of alike) {
    try {
      check(of);
      return;
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** What must be so however busy the machine is: `inCalm` does not try again where it is not. */
export async function always<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AssertionError) throw new Error(error.message, { cause: error });
    throw error;
  }
}

let isSet = false;

/**
 * From here on SIGINT and SIGTERM end the program with what it has printed, status 0. Not before what it reads is open: while a named pipe waits for its
 * other end no handler is called, and without one the system ends it.
 */
export function endOnSignal(): void {
  if (isSet) return;
  isSet = true;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
}

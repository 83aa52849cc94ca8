/** `--inspect`, `--inspect-brk` or `--inspect-wait`, with a port or without; not `--inspect-port`, which opens nothing. */
const ASKED_FOR = /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/;

/**
 * Closes Node's inspector, unless it was asked for. A SIGUSR1 that comes before the first statement of the program, while Node itself
 * starts, opens it on 127.0.0.1:9229: whoever connects there may do what tcplat may.
 */
export function closeInspector(words = [...process.execArgv, process.env.NODE_OPTIONS ?? ""]): void {
  if (ASKED_FOR.test(words.join(" "))) return;
  // An import above, or a dynamic one, would be loaded at every start, or not at all where the build's code comes from V8's cache.
  const inspector = process.getBuiltinModule("node:inspector");
  if (inspector.url() !== undefined) inspector.close();
}

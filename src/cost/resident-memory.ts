let last = 0;

/**
 * The memory of this process that is resident now, bytes. Node reads a file for it: while none can be opened (EMFILE, ENFILE,
 * `/proc` not mounted), what it was the last time, and before there was one the peak, which the kernel is asked for (`getrusage(2)`).
 */
export function residentBytes(): number {
  try {
    last = process.memoryUsage.rss();
  } catch {
    if (last === 0) return process.resourceUsage().maxRSS * 1024;
  }
  return last;
}

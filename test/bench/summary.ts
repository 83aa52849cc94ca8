/** The counters of the summary that ends `--json` output, by name and label values joined with dots. */
export function summaryOf(stdout: string): Readonly<Record<string, number | string>> {
  const line = stdout.trimEnd().split("\n").at(-1)!;
  return JSON.parse(line) as Record<string, number | string>;
}

/** Those of them whose name is `name` or begins with it and a dot, added up. */
export function total(stdout: string, name: string): number {
  const counters = Object.entries(summaryOf(stdout)).filter(([key]) => key === name || key.startsWith(`${name}.`));
  return counters.reduce((sum, [, value]) => sum + Number(value), 0);
}

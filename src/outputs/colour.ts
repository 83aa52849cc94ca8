/** Whether colours are wanted: on a terminal that has them, unless NO_COLOR is set (https://no-color.org). */
export function isColourWanted(
  stdout: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stdout.isTTY === true && env.TERM !== "dumb" && (env.NO_COLOR ?? "") === "";
}

import { readFileSync } from "node:fs";

/** tcplat's own version, from the package.json it was installed with. */
export function tcplatVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const { name, version }: { name?: unknown; version?: unknown } = JSON.parse(
        readFileSync(new URL(place, import.meta.url), "utf8"),
      );
      if (name === "tcplat" && typeof version === "string") return version;
    } catch {
      // Compiled into dist/, it lies one folder higher.
    }
  }
  return "unknown";
}

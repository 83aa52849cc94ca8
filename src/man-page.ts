import { readFileSync, writeFileSync } from "node:fs";
import { manPage } from "./man/page.ts";
import { PROTOCOLS } from "./protocols/registry.ts";

/** Run by the build: writes the manual page to the file it is given, unless that holds it already. */
const [file = "man/tcplat.1"] = process.argv.slice(2);
const page = manPage(PROTOCOLS.map(({ name }) => name));

if (present() !== page) writeFileSync(file, page);

function present(): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

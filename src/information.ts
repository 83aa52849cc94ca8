import { createRequire } from "node:module";
import { isLibpcapWanting, reasonOf } from "./capture/cap-messages.ts";
import { lookupInterfaces } from "./capture/interfaces.ts";
import { libpcapVersion } from "./capture/libpcap.ts";
import { TcplatError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { tcplatVersion } from "./version.ts";

/** What `-v` prints. */
export function versionText(): string {
  return `tcplat ${tcplatVersion()}\nnode ${process.version}\n${libpcapLine()}\nengine cap ${capState()}\n`;
}

/** What `-D` prints: a name, its addresses and libpcap's description a line. Throws TcplatError. */
export function interfacesText(): string {
  const interfaces = lookupInterfaces();
  const width = Math.max(0, ...interfaces.map(({ name }) => name.length));
  const lines = interfaces.map(({ name, addresses, description }) => {
    const about = [addresses.join(", "), description === "" ? "" : `(${description})`].filter((part) => part !== "");
    return escapeControls(`${name.padEnd(width)}  ${about.join(" ")}`.trimEnd());
  });
  return `${lines.join("\n")}\n`;
}

/** The optional npm package cap: its addon loads, or would with libpcap, or is not there. */
export function capState(): "built" | "built, but libpcap is missing" | "not built" {
  try {
    createRequire(import.meta.url)("cap");
    return "built";
  } catch (error) {
    return isLibpcapWanting(reasonOf(error)) ? "built, but libpcap is missing" : "not built";
  }
}

function libpcapLine(): string {
  try {
    return libpcapVersion();
  } catch (error) {
    if (!(error instanceof TcplatError)) throw error;
    return `libpcap: ${error.message}`;
  }
}

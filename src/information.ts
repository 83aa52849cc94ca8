import { createRequire } from "node:module";
import { lookupInterfaces } from "./capture/interfaces.ts";
import { libpcapVersion } from "./capture/libpcap.ts";
import { TcplatError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { tcplatVersion } from "./version.ts";

/** What `-v` prints. */
export function versionText(): string {
  return `tcplat ${tcplatVersion()}\nnode ${process.version}\n${libpcapLine()}\nengine cap ${isCapBuilt() ? "built" : "not built"}\n`;
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

/** Whether the optional npm package cap is there, and its addon loads. */
export function isCapBuilt(): boolean {
  try {
    createRequire(import.meta.url)("cap");
    return true;
  } catch {
    return false;
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

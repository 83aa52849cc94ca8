import type { ProtocolSelection, ServerSelection } from "../options.ts";
import { type Given, refused } from "./given.ts";
import { canonicalAddress, listed } from "./values.ts";

/** `-p` where none is given: every known protocol, decided per connection. */
export const AUTO: ProtocolSelection = { name: "auto", ports: [] };

/** `-p NAME[:PORT,…]`, each. A port can belong to one protocol only. Throws TcplatError "usage". */
export function parseProtocols(given: readonly Given[], known: readonly string[]): readonly ProtocolSelection[] {
  const owners = new Map<number, string>();
  return given.map((each) => {
    const selection = parseProtocol(each, known);
    for (const port of selection.ports) {
      const owner = owners.get(port) ?? selection.name;
      if (owner !== selection.name) throw refused(each, `port ${port} is already ${owner}'s: give it to one of them`);
      owners.set(port, owner);
    }
    return selection;
  });
}

function parseProtocol(given: Given, known: readonly string[]): ProtocolSelection {
  const [, name = "", portList] = /^([^:]*)(?::(.*))?$/s.exec(given.text) ?? [];
  if (name !== "auto" && name !== "raw" && !known.includes(name)) throw unknownProtocol(given, name, known);
  if (portList === undefined) return { name, ports: [] };
  if (name === "raw") throw refused(given, `raw takes no ports: name them in the filter, as in port ${portList}`);
  if (name === "auto")
    throw refused(given, `auto takes no ports: name the protocol, as in ${known[0] ?? "NAME"}:${portList}`);
  return { name, ports: portList.split(",").map((port) => parsePort(given, port, "redis:6379,6380")) };
}

function unknownProtocol(given: Given, name: string, known: readonly string[]) {
  const hint = name.includes(",")
    ? "give --protocol once for each"
    : `the known ones are ${listed(["auto", ...known, "raw"], "and")}`;
  return refused(given, `no such protocol: ${hint}`);
}

function parsePort(given: Given, text: string, example: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw refused(given, `ports are whole numbers from 1 to 65535, as in ${example}`);
  return port;
}

/** `--server HOST:PORT`. Throws TcplatError "usage". */
export function parseServer(given: Given): ServerSelection {
  const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(given.text) ?? [];
  const address = canonicalAddress(host.replace(/^\[(.*:.*)\]$/, "$1"));
  if (address === null) {
    throw refused(
      given,
      "it must be an address and a port, as in 192.168.0.2:6379 or [2001:db8::1]:6379 (names are not looked up)",
    );
  }
  return { host: address, port: parsePort(given, port, "192.168.0.2:6379") };
}

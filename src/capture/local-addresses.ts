import { networkInterfaces } from "node:os";

/** How long this host's addresses are believed, and how long by who misses one among them. */
const BELIEVED_MS = 10_000;
const MISSED_MS = 1000;

/** This host's addresses; `again` where none of a connection was among them. */
export type LocalAddresses = (again: boolean) => ReadonlySet<string>;

/**
 * Asked for at once, then now and then, since interfaces and addresses come and go; sooner for a connection that seems to be between
 * others: clients speak to an address the moment that it is here, and then may stay for months. What was known stays where `ask` does not know.
 */
export function localAddresses(ask = askSystem, now = (): number => performance.now()): LocalAddresses {
  let addresses: ReadonlySet<string> = new Set(ask());
  let askedAt = now();
  return (again) => {
    const at = now();
    if (at - askedAt >= (again ? MISSED_MS : BELIEVED_MS)) {
      askedAt = at;
      const answer = ask();
      if (answer !== null) addresses = new Set(answer);
    }
    return addresses;
  };
}

/** Null where the system does not say: it needs a descriptor for it, of which there may be none left for a while (EMFILE, ENFILE). */
function askSystem(): string[] | null {
  try {
    return Object.values(networkInterfaces()).flatMap((entries) => entries!.map((entry) => entry.address));
  } catch {
    return null;
  }
}

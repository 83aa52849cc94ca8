import { networkInterfaces } from "node:os";

/** How long this host's addresses are believed, and how long by who misses one among them. */
const BELIEVED_MS = 10_000;
const MISSED_MS = 1000;

/** This host's addresses; `again` where none of a connection was among them. */
export type LocalAddresses = (again: boolean) => ReadonlySet<string>;

/**
 * Asked for now and then, since interfaces and addresses come and go; sooner for a connection that seems to be between
 * others: clients speak to an address the moment that it is here, and then may stay for months.
 */
export function localAddresses(ask = askSystem, now = (): number => performance.now()): LocalAddresses {
  let addresses: ReadonlySet<string> = new Set();
  let askedAt = Number.NEGATIVE_INFINITY;
  return (again) => {
    const at = now();
    if (at - askedAt >= (again ? MISSED_MS : BELIEVED_MS)) {
      askedAt = at;
      addresses = new Set(ask());
    }
    return addresses;
  };
}

function askSystem(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => entries!.map((entry) => entry.address));
}

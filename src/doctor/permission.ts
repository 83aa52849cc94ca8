import type { TcplatError } from "../errors.ts";
import { type Check, ok, problem } from "./check.ts";

/** `linux/capability.h`. */
const CAP_NET_RAW = 13n;

/** The command that gives this Node the one capability a capture needs. setcap refuses symbolic links. */
export const SETCAP_COMMAND = 'sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"';

/** What `/proc/self/status` says of privileges; null where there is no such file (macOS). */
export interface Privileges {
  readonly hasNetRaw: boolean;
  /** Then file capabilities are ignored (`prctl(2)`, PR_SET_NO_NEW_PRIVS). */
  readonly isNoNewPrivileges: boolean;
}

/** Reads the text of `/proc/self/status` (`proc(5)`): CapEff is a hexadecimal mask. */
export function parsePrivileges(status: string): Privileges | null {
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (mask === undefined) return null;
  return {
    hasNetRaw: ((BigInt(`0x${mask}`) >> CAP_NET_RAW) & 1n) === 1n,
    isNoNewPrivileges: /^NoNewPrivs:\s*1$/m.test(status),
  };
}

/** Judges an attempt to open a capture on `name`; `failure` is null where it opened. */
export function checkPermission(name: string, privileges: Privileges | null, failure: TcplatError | null): Check {
  if (failure === null)
    return ok("permission", `a capture on ${name} opens${privileges?.hasNetRaw ? " (CAP_NET_RAW)" : ""}`);
  if (failure.code !== "permission") return problem("capture", `none opens on ${name}`, failure.message);
  if (privileges === null) return problem("permission", `no capture on ${name} is allowed`, "run it with sudo");
  if (privileges.hasNetRaw) {
    return problem(
      "permission",
      `CAP_NET_RAW is there, and yet no capture on ${name} is allowed: a container's or a sandbox's rule forbids it`,
      "run it on the host, or allow AF_PACKET sockets (docker run --cap-add NET_RAW --network host)",
    );
  }
  if (privileges.isNoNewPrivileges) {
    return problem(
      "permission",
      "CAP_NET_RAW is missing, and no_new_privs keeps setcap from granting it",
      "run it as root, or from the systemd unit, which grants it: sudo systemctl start tcplat",
    );
  }
  return problem(
    "permission",
    "CAP_NET_RAW is missing",
    `${SETCAP_COMMAND}; or run it with sudo; or from the systemd unit: sudo systemctl start tcplat`,
  );
}

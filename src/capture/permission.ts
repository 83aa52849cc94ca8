import { realpathSync } from "node:fs";

/** Says which capability is missing to capture on `name`, and how to grant it. */
export function permissionSentence(name: string): string {
  return (
    `no permission to capture on ${name}: CAP_NET_RAW is missing; run as root, or ` +
    `sudo setcap cap_net_raw+ep ${nodePath()}, or use the systemd unit (systemd/tcplat.service)`
  );
}

/** setcap refuses symbolic links. */
function nodePath(): string {
  try {
    return realpathSync(process.execPath);
  } catch {
    return process.execPath;
  }
}

import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";

/** Why this process may not capture, or null when it may. */
export function captureObstacle(): string | null {
  if (process.platform !== "linux") return "interfaces are made with Linux's ip command";
  return process.getuid?.() === 0 ? null : "needs root (CAP_NET_RAW and CAP_NET_ADMIN)";
}

/** Runs `ip` and returns whether it succeeded. */
export function ip(...words: readonly string[]): boolean {
  return spawnSync("ip", words, { stdio: "ignore" }).status === 0;
}

/** Sends one UDP datagram over loopback, to nobody. Resolves once it is sent. */
export function sendDatagram(port: number, payload: string, address = "127.0.0.1"): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("error", () => {});
    socket.send(payload, port, address, (error) => {
      socket.close();
      if (error === null) resolve();
      else reject(error);
    });
  });
}

import { once } from "node:events";
import { createServer } from "node:net";
import { type Check, ok, problem } from "./check.ts";
import { lookupPortHolder } from "./port-holder.ts";
import { readOrEmpty } from "./system.ts";

/** A port tcplat is about to listen on. */
export interface WantedPort {
  /** `stats` or `metrics`: the option's first word. */
  readonly purpose: "stats" | "metrics";
  readonly host: string;
  readonly port: number;
}

/** What the kernel hands to outgoing connections, as the texts of `/proc/sys/net/ipv4/`; "" off Linux. */
export interface EphemeralPorts {
  /** `ip_local_port_range`: two numbers. */
  readonly range: string;
  /** `ip_local_reserved_ports`: `8080,9148-9150`. */
  readonly reserved: string;
}

/** The kernel's settings now. */
export function readEphemeralPorts(): EphemeralPorts {
  return {
    range: readOrEmpty("/proc/sys/net/ipv4/ip_local_port_range").trim(),
    reserved: readOrEmpty("/proc/sys/net/ipv4/ip_local_reserved_ports").trim(),
  };
}

/** Whether a port can be listened on: tries it, and lets it go again. */
export async function checkPort(wanted: WantedPort, ephemeral: EphemeralPorts): Promise<Check> {
  const subject = `${wanted.purpose} port`;
  if (wanted.port === 0) return ok(subject, "turned off");
  const code = await tryToListen(wanted);
  if (code === "") return judgeFreePort(subject, wanted, ephemeral);
  const place = `${wanted.host}:${wanted.port}`;
  const other = `or choose another with --${wanted.purpose}-port`;
  if (code === "EADDRINUSE") {
    const holder = lookupPortHolder(wanted.port);
    const byWhom = holder === "" ? "another program" : holder;
    return problem(
      subject,
      `${place} is held by ${byWhom}`,
      `sudo ss -tlnp 'sport = :${wanted.port}' shows it; stop it, ${other}`,
    );
  }
  if (code === "EADDRNOTAVAIL") {
    return problem(
      subject,
      `${wanted.host} is no address of this host`,
      `tcplat -D lists them; choose one with --${wanted.purpose}-host`,
    );
  }
  return problem(
    subject,
    `${place} cannot be listened on (${code})`,
    `choose another port with --${wanted.purpose}-port`,
  );
}

/** A free port within the ephemeral range is one any outgoing connection may take before the next start. */
export function judgeFreePort(subject: string, wanted: WantedPort, ephemeral: EphemeralPorts): Check {
  const [low = 0, high = 0] = ephemeral.range.split(/\s+/).map(Number);
  const isEphemeral = wanted.port >= low && wanted.port <= high;
  const finding = `${wanted.host}:${wanted.port} is free`;
  if (!isEphemeral || isReserved(ephemeral.reserved, wanted.port)) return ok(subject, finding);
  const reserved = ephemeral.reserved === "" ? `${wanted.port}` : `${ephemeral.reserved},${wanted.port}`;
  return {
    state: "note",
    subject,
    finding: `${finding}, but the kernel may hand it to an outgoing connection`,
    remedy: `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${reserved}`,
  };
}

function isReserved(list: string, port: number): boolean {
  return list.split(",").some((part) => {
    const [from = Number.NaN, to = from] = part.split("-").map((text) => (text === "" ? Number.NaN : Number(text)));
    return port >= from && port <= to;
  });
}

/** The error's code, "" where it worked. */
async function tryToListen(wanted: WantedPort): Promise<string> {
  const server = createServer();
  try {
    server.listen({ host: wanted.host, port: wanted.port, exclusive: true });
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return "";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

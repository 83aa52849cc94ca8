import type { AddressInfo, Server } from "node:net";
import { TcplatError } from "../errors.ts";

/** Where to listen, and the options that say so: an error names them. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly portOption: string;
  readonly hostOption: string;
}

/** A server that is up. */
export interface Listening {
  readonly port: number;
  /** Refuses new readers, ends those that are there, and resolves once the port is free. */
  close(): Promise<void>;
}

/** Starts listening; a TcplatError "port" says what to do where that is impossible. */
export function listen(server: Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(explain(error, address));
    server.once("error", failed);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off("error", failed);
      server.on("error", () => {}); // an accept that failed (no descriptors left) is that reader's loss only
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function explain(error: NodeJS.ErrnoException, { host, port, portOption, hostOption }: ListenAddress): TcplatError {
  if (error.code === "EADDRINUSE") {
    return new TcplatError(
      "port",
      `port ${port} of ${host} is in use: name another with ${portOption} (0 turns it off), or see who holds it with \`ss -tanp 'sport = :${port}'\`${ephemeralHint(port)}`,
    );
  }
  if (error.code === "EACCES") {
    return new TcplatError(
      "port",
      `port ${port} of ${host} needs privileges: name one above 1023 with ${portOption} (0 turns it off)`,
    );
  }
  return new TcplatError(
    "port",
    `cannot listen on port ${port} of ${host} (${error.code ?? error.message}): check ${hostOption} and ${portOption} (0 turns it off)`,
  );
}

/** Linux gives outgoing connections ports from 32768 to 60999 (ip(7), ip_local_port_range). */
function ephemeralHint(port: number): string {
  if (port < 32_768 || port > 60_999) return "";
  return `; it lies in Linux's ephemeral range, so any program's outgoing connection may hold it: \`sysctl net.ipv4.ip_local_reserved_ports=${port}\` keeps it free`;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Judge, Policy } from "../network/policy.ts";
import { connectNamespaces, forbidOffloads, ipIn, makeNamespace } from "./namespaces.ts";

const PROCESS = fileURLToPath(new URL("../network/forwarder-process.js", import.meta.url));

/** Both hosts' one interface. */
export const DEVICE = "eth0";

/** What was done under one policy: how often, and to how many segments with payload. */
export type Deeds = Judge["counts"];

/** Two hosts with a line between them that does to segments what a policy says; at first it only passes them. */
export class Network {
  readonly client: string;
  readonly server: string;
  readonly clientAddress = "10.213.0.1";
  readonly serverAddress = "10.213.0.2";
  readonly #child: ChildProcess;

  private constructor(client: string, server: string, child: ChildProcess) {
    this.client = client;
    this.server = server;
    this.#child = child;
  }

  /** Makes the namespaces, their interfaces, and the forwarder between them. */
  static async make(): Promise<Network> {
    const [client, middle, server] = ["client", "middle", "server"].map(makeNamespace) as [string, string, string];
    connectNamespaces(client, DEVICE, middle, "toclient");
    connectNamespaces(server, DEVICE, middle, "toserver");
    const child = spawn("ip", ["netns", "exec", middle, process.execPath, PROCESS, "toclient", "toserver"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const network = new Network(client, server, child);
    configure(client, network.clientAddress);
    configure(server, network.serverAddress);
    network.raise(client);
    network.raise(server);
    await once(child, "message");
    return network;
  }

  /** From now on these rules hold; resolves with what was done under those before. */
  async policy(policy: Policy): Promise<Deeds> {
    const answer = once(this.#child, "message");
    this.#child.send(policy);
    return (await answer)[0] as Deeds;
  }

  /** Brings a host's interface up. The other's address is told, so that nothing but the test's own segments is on the line. */
  raise(host: string): void {
    const other = host === this.client ? this.serverAddress : this.clientAddress;
    ipIn(host, "link", "set", DEVICE, "up");
    ipIn(host, "neighbour", "replace", other, "lladdr", hardwareAddress(other), "dev", DEVICE);
  }

  /** The line is cut for good. */
  async remove(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

/** One host's end. */
function configure(namespace: string, address: string): void {
  forbidOffloads(namespace, DEVICE);
  ipIn(namespace, "link", "set", DEVICE, "address", hardwareAddress(address));
  ipIn(namespace, "address", "add", `${address}/24`, "dev", DEVICE);
}

function hardwareAddress(address: string): string {
  return `02:00:00:00:00:0${address.at(-1)}`;
}

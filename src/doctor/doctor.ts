import { lookupInterfaces } from "../capture/interfaces.ts";
import { libpcapVersion, openLive } from "../capture/libpcap.ts";
import { KoffiMissing, LibpcapMissing } from "../capture/libpcap-binding.ts";
import { EXIT_STATUS, TcplatError } from "../errors.ts";
import { escapeControls } from "../escape.ts";
import { capState } from "../information.ts";
import type { Options } from "../options.ts";
import { type Check, ok, problem } from "./check.ts";
import { checkPermission, parsePrivileges } from "./permission.ts";
import { checkPort, readEphemeralPorts } from "./ports.ts";
import { checkNode, libpcapCommand, readOrEmpty } from "./system.ts";

/** What `tcplat doctor` found: a line per check. */
export interface Findings {
  readonly text: string;
  /** 0 when the default engine can capture, 77 when only the permission is missing, else 1. */
  readonly exitStatus: number;
}

/** Checks what a capture with these options needs, and changes nothing. */
export async function examine(options: Options): Promise<Findings> {
  const ephemeral = readEphemeralPorts();
  const library = checkLibpcap();
  const isLoaded = library.state === "ok";
  const failure = isLoaded ? tryToCapture(options) : null;
  const checks = [
    checkNode(process.versions.node),
    library,
    ...(isLoaded ? [checkInterfaces(options.interface), checkAttempt(options.interface, failure)] : []),
    checkCap(isLoaded),
    await checkPort({ purpose: "stats", host: options.statsHost, port: options.statsPort }, ephemeral),
    await checkPort({ purpose: "metrics", host: options.metricsHost, port: options.metricsPort }, ephemeral),
  ];
  return { text: checks.map(checkLine).join(""), exitStatus: isLoaded ? statusOf(failure) : 1 };
}

/** `problem  permission: CAP_NET_RAW is missing → sudo setcap …`. */
export function checkLine(check: Check): string {
  const remedy = check.remedy === "" ? "" : ` → ${check.remedy}`;
  return `${check.state.padEnd(8)} ${escapeControls(`${check.subject}: ${check.finding}${remedy}`)}\n`;
}

function statusOf(failure: TcplatError | null): number {
  if (failure === null) return 0;
  return failure.code === "permission" ? EXIT_STATUS.permission : 1;
}

function checkLibpcap(): Check {
  try {
    return ok("engine libpcap", `${libpcapVersion()}: the default`);
  } catch (error) {
    if (!(error instanceof TcplatError)) throw error;
    if (error instanceof KoffiMissing) return problem("engine libpcap", error.message, "");
    const finding = error instanceof LibpcapMissing ? "libpcap is not installed" : error.message;
    return problem("engine libpcap", finding, installCommand());
  }
}

function installCommand(): string {
  return libpcapCommand(process.platform, readOrEmpty("/etc/os-release"));
}

/** cap is the second engine: its absence is a problem only where the first cannot load. */
function checkCap(isLibpcapLoaded: boolean): Check {
  const purpose = "for platforms where libpcap cannot be loaded; takes its times on arrival";
  const state = capState();
  if (state === "built") return ok("engine cap", `built; ${purpose}`);
  if (isLibpcapLoaded) return ok("engine cap", `not built, and not needed: ${purpose}`);
  if (state !== "not built") return problem("engine cap", state, installCommand());
  const command = "npm rebuild cap in a checkout, else install tcplat again with --allow-scripts=cap";
  return problem("engine cap", "not built", `${command} (it needs a compiler and libpcap's headers)`);
}

function checkInterfaces(wanted: string): Check {
  const names = lookupInterfaces().map(({ name }) => name);
  if (names.includes(wanted)) return ok("interfaces", `${wanted} is there, among ${names.join(", ")}`);
  if (names.length === 0) return ok("interfaces", "none is listed without permission");
  return problem("interfaces", `there is no ${wanted}`, `choose one of ${names.join(", ")} with -i`);
}

function checkAttempt(name: string, failure: TcplatError | null): Check {
  return checkPermission(name, parsePrivileges(readOrEmpty("/proc/self/status")), failure);
}

/** Opens a capture as a run would, with a small buffer, and closes it at once. */
function tryToCapture(options: Options): TcplatError | null {
  try {
    openLive({ interface: options.interface, snaplen: options.snaplen, bufferKib: 1024, filter: "" }).close();
    return null;
  } catch (error) {
    if (error instanceof TcplatError) return error;
    throw error;
  }
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { pcapFile } from "../support/pcap-file.ts";
import { ETHERNET, frameOf, type TestHost, type TestSegment, type Wire } from "../support/segments.ts";
import { runTcplat } from "../support/tcplat.ts";

/** What the server's host sees of segments stamped by the client's. */
export interface Way {
  /** How long a segment takes to the server, and back. */
  readonly thereUs: (at: number) => number;
  readonly backUs: (at: number) => number;
  /** What the server's clock shows when the client's shows this. */
  readonly clock: (clientUs: number) => number;
  /** The server's host as seen from there; the client's, likewise. */
  readonly translate?: (host: TestHost) => TestHost;
}

/** The same segments as the server's host captured them. Those for which `isLost` never came there. */
export function atServer(
  segments: readonly TestSegment[],
  serverHost: TestHost,
  way: Way,
  isLost: (segment: TestSegment) => boolean = () => false,
): TestSegment[] {
  const translate = way.translate ?? ((host: TestHost) => host);
  return segments
    .filter((segment) => !isLost(segment))
    .map((segment, index) => {
      const isFromServer = segment.from.port === serverHost.port;
      const onTheWayUs = isFromServer ? -way.backUs(index) : way.thereUs(index);
      const timeUs = Math.round(way.clock(segment.timeUs + onTheWayUs));
      return { ...segment, from: translate(segment.from), to: translate(segment.to), timeUs };
    })
    .toSorted((a, b) => a.timeUs - b.timeUs);
}

/** A capture file's bytes. */
export function captureOf(segments: readonly TestSegment[], wire: Wire = ETHERNET): Buffer {
  return pcapFile(
    segments.map((segment) => ({
      seconds: Math.floor(segment.timeUs / 1e6),
      nanoseconds: (segment.timeUs % 1e6) * 1000,
      bytes: frameOf(segment, wire),
    })),
  );
}

const folder = mkdtempSync(join(tmpdir(), "tcplat diff-"));
after(() => rmSync(folder, { recursive: true }));

/** Writes a file into this process' own folder, whose name has a blank; returns its path. */
export function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** One side's part of a request. */
interface AtSide {
  readonly id: string;
  readonly client: string;
  readonly server: string;
  readonly status: string;
  readonly error: string | null;
  readonly wait_us: number | null;
  readonly retransmit_us: number | null;
  readonly behind: Readonly<Record<string, unknown>> | null;
  readonly flags: readonly string[];
}

/** A request of `diff --json`. */
export interface DiffRequest {
  readonly type: "request";
  readonly seen: "both" | "client" | "server";
  readonly why: string | null;
  readonly joined_by: string | null;
  readonly command: string;
  readonly client: string;
  readonly summary: string;
  readonly start: string;
  readonly client_us: number | null;
  readonly server_us: number | null;
  readonly network_us: number | null;
  readonly there_us: number | null;
  readonly back_us: number | null;
  readonly at_client: AtSide | null;
  readonly at_server: AtSide | null;
}

/** The last line of `diff --json`. */
export interface DiffSummary {
  readonly type: "diff_summary";
  readonly client: Readonly<Record<string, number | string | null>>;
  readonly server: Readonly<Record<string, number | string | null>>;
  readonly clock: {
    readonly offset_us: number;
    readonly uncertainty_us: number;
    readonly drift_ppm: number;
    readonly is_steady: boolean;
    readonly samples: number;
  } | null;
  readonly joined: number;
  readonly joined_by_sequence: number;
  readonly answered_only_at_client: number;
  readonly answered_only_at_server: number;
  readonly server_above_client: number;
  readonly only_client: Readonly<Record<string, number>>;
  readonly only_server: Readonly<Record<string, number>>;
  readonly rows: readonly {
    readonly server: string;
    readonly command: string | null;
    readonly requests: number;
    readonly network: { readonly p50_us: number; readonly sum_us: number };
  }[];
}

/** What `tcplat diff --json` says of two files. */
export interface Told {
  readonly status: number | null;
  readonly stderr: string;
  readonly requests: readonly DiffRequest[];
  readonly summary: DiffSummary;
}

/** Runs `tcplat diff CLIENT SERVER --json`. */
export async function diffJson(client: string, server: string, more: readonly string[] = []): Promise<Told> {
  const { status, stderr, stdout } = await runTcplat(["diff", client, server, "--json", ...more]);
  const records = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as DiffRequest | DiffSummary);
  const summary = records.pop();
  if (summary?.type !== "diff_summary") throw new Error(`no summary was printed; stderr: ${stderr}`);
  return { status, stderr, requests: records as DiffRequest[], summary };
}

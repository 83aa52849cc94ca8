/** What the user asked for. All times are whole microseconds; made in one place, read everywhere, changed nowhere. */
export interface Options {
  readonly interface: string;
  /** A capture file, `-` for standard input, or null for a live capture. */
  readonly read: string | null;
  readonly write: WriteOptions | null;
  readonly protocols: readonly ProtocolSelection[];
  /** null: print every transaction. */
  readonly thresholdUs: number | null;
  /** `-p raw`: packets instead of transactions; or null. */
  readonly raw: RawOptions | null;
  /** `--filter`, or null: what is told of the transactions. */
  readonly condition: ConditionOptions | null;
  /** Frames, or null: no limit. */
  readonly count: number | null;
  readonly snaplen: number;
  readonly bufferKib: number;
  /** 0: off. With `read`, 0 unless named on the command line. */
  readonly statsPort: number;
  readonly statsHost: string;
  readonly metricsPort: number;
  readonly metricsHost: string;
  readonly vlan: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly engine: "libpcap" | "cap";
  readonly side: "auto" | "client" | "server";
  readonly servers: readonly ServerSelection[];
  /** `--details`. */
  readonly details: boolean;
  readonly showValues: boolean;
  /** `-S`: files of scripts. */
  readonly scripts: readonly string[];
  /** Segments of an HTTP request's path that its key keeps, or null: all. */
  readonly httpPathDepth: number | null;
  /** The frames of slow requests, or null. */
  readonly dumpSlow: DumpOptions | null;
  /** The page to write at the end, or null. */
  readonly report: string | null;
  readonly idleTimeoutUs: number;
  readonly requestTimeoutUs: number;
  readonly maxConnections: number;
  /** In percent of one core, or null: no limit. Always null with `read`. */
  readonly maxCpuPercent: number | null;
  /** Threads that read and analyse, each a part of the connections. */
  readonly workers: number;
  /** The libpcap filter as given, "" for none. */
  readonly filter: string;
}

/** `--filter`. */
export interface ConditionOptions {
  /** As given. */
  readonly expression: string;
  /** Where: `--filter`, or a place in a configuration file. */
  readonly place: string;
}

/** `-w`, `-C`, `-G`, `-W`. */
export interface WriteOptions {
  readonly file: string;
  /** Start a new file beyond this many bytes (-C counts millions of bytes), or null. */
  readonly rotateBytes: number | null;
  /** Start a new file after this many seconds, or null. */
  readonly rotateSeconds: number | null;
  /** Keep or make at most this many files, or null. */
  readonly fileCount: number | null;
  /** `--write-matching`: how much of what was captured last is kept in case it is wanted, in bytes; null: all is written. */
  readonly matchingBufferBytes: number | null;
}

/** `-p raw`, `-A`, `-X`. */
export interface RawOptions {
  /** What stands below a packet's line: nothing, its payload as ASCII, all of it in hexadecimal. */
  readonly format: "line" | "ascii" | "hex";
}

/** `--dump-slow`, and how much of it. */
export interface DumpOptions {
  readonly folder: string;
  /** Files at most. */
  readonly count: number;
  /** Frames kept in case a slow request needs them. */
  readonly bufferBytes: number;
}

/** `-p NAME[:PORT,…]`; "auto" means every known protocol. An empty `ports` means any. */
export interface ProtocolSelection {
  readonly name: string;
  readonly ports: readonly number[];
}

/** `--server HOST:PORT`, the host an IPv4 or IPv6 address in canonical text. */
export interface ServerSelection {
  readonly host: string;
  readonly port: number;
}

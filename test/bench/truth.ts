import { readFileSync } from "node:fs";

/** Quantiles of latencies, in µs. */
export interface Quantiles {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
/** Magic number of a file with nanoseconds (`pcap-savefile(5)`). */
const NANOSECONDS = 0xa1b23c4d;
/** 127.0.0.1: what else listens on this port is somebody else. */
const SERVER_ADDRESS = 0x7f000001;

/**
 * The latencies in a capture that `tcpdump --nano` wrote on lo, of clients of 127.0.0.1 that ask one small thing at a time. Worked
 * out by as simple a rule as can be, and by none of tcplat's code: from a segment with payload to the server to the last
 * one with payload that comes back before the next. (redis-benchmark asks its first two questions at once: one here.)
 */
export function latenciesUs(file: string, serverPort: number): number[] {
  const bytes = readFileSync(file);
  if (bytes.readUInt32LE(0) !== NANOSECONDS) throw new Error(`${file} has no nanoseconds`);
  const asked = new Map<number, number>();
  const answeredAfter = new Map<number, number>();
  const found: number[] = [];
  const settle = (client: number) => {
    const latency = answeredAfter.get(client);
    if (latency !== undefined) found.push(latency);
    answeredAfter.delete(client);
  };
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const timeUs = bytes.readUInt32LE(at) * 1e6 + bytes.readUInt32LE(at + 4) / 1000;
    const ip = at + RECORD_HEADER_BYTES + ETHERNET_BYTES;
    at += RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8);
    const tcp = ip + (bytes[ip]! & 15) * 4;
    const payload = bytes.readUInt16BE(ip + 2) - (tcp - ip) - (bytes[tcp + 12]! >> 4) * 4;
    if (payload === 0) continue;
    const source = endpoint(bytes, ip + 12, tcp);
    const isToServer = bytes.readUInt16BE(tcp + 2) === serverPort;
    if (bytes.readUInt32BE(isToServer ? ip + 16 : ip + 12) !== SERVER_ADDRESS) continue;
    if (isToServer) {
      settle(source);
      asked.set(source, timeUs);
    } else {
      const client = endpoint(bytes, ip + 16, tcp + 2);
      answeredAfter.set(client, timeUs - asked.get(client)!);
    }
  }
  for (const client of [...answeredAfter.keys()]) settle(client);
  return found;
}

/** Address and port as one number. */
function endpoint(bytes: Buffer, address: number, port: number): number {
  return bytes.readUInt32BE(address) * 65_536 + bytes.readUInt16BE(port);
}

/** By nearest rank. */
export function quantilesUs(latencies: readonly number[]): Quantiles {
  const sorted = Float64Array.from(latencies).sort();
  const at = (quantile: number) => sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50Us: at(0.5), p99Us: at(0.99) };
}

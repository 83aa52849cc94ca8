import { u32 } from "../bytes/read.ts";
import { addressText } from "../connection/address.ts";

/** The IPv4 address at bytes[at, at + 4). */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** The IPv6 address at bytes[at, at + 16). */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  return addressText(6, u32(bytes, at), u32(bytes, at + 4), u32(bytes, at + 8), u32(bytes, at + 12));
}

/** The hardware address at bytes[at, at + 6). */
export function macText(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

import { u16, u32 } from "../../bytes/read.ts";
import type { Exchange } from "../protocol.ts";
import type { Message } from "./message.ts";
import { nameText, readName } from "./name.ts";
import { ERRORS, errorOf, Type, typeName } from "./tables.ts";

/** Answers shown of a message. */
const MAX_ANSWERS = 16;
/** Characters shown of a text. */
const MAX_TEXT = 64;

/** Tells what the response just read says: its code, how many records it has, and the answers as in a zone's file. */
export function tellRecords(
  exchange: Exchange,
  message: Message,
  rcode: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  exchange.detail("rcode", rcode === 0 ? "NOERROR" : errorOf(rcode) === 0 ? rcode : ERRORS[errorOf(rcode)]!);
  if (message.isTruncated) exchange.detail("truncated", 1);
  exchange.detail("answers", message.answers);
  exchange.detail("authorities", message.authorities);
  exchange.detail("additional", message.additional);
  let { at } = message;
  if (message.questions > 1 || message.isCut) return;
  for (let left = Math.min(message.answers, MAX_ANSWERS); left > 0; left--) {
    const type = readName(bytes, start, at, end);
    if (type < 0 || type + 10 > end) return;
    const owner = nameText();
    const data = type + 10;
    at = data + u16(bytes, type + 8);
    if (at > end) return;
    const value = dataText(u16(bytes, type), bytes, start, data, at);
    exchange.detail("answer", `${owner} ${u32(bytes, type + 4)} ${typeName(u16(bytes, type))} ${value}`);
  }
}

/** RFC 1035 §3.3, 3596 §2.2, 2782: what stands behind the type; the length alone where that is not known. */
function dataText(type: number, bytes: Uint8Array, start: number, data: number, end: number): string {
  const length = end - data;
  if (type === Type.a && length === 4) return bytes.subarray(data, end).join(".");
  if (type === Type.aaaa && length === 16) return ipv6Text(bytes, data);
  if (type === Type.txt && length > 0) {
    const text = bytes.subarray(data + 1, Math.min(end, data + 1 + Math.min(bytes[data]!, MAX_TEXT)));
    return Buffer.from(text).toString("latin1");
  }
  const numbers = type === Type.mx ? 1 : type === Type.srv ? 3 : 0;
  const isName = numbers > 0 || type === Type.ns || type === Type.cname || type === Type.ptr || type === Type.soa;
  const at = data + 2 * numbers;
  if (!isName || at > end || readName(bytes, start, at, end) < 0) return `(${length} bytes)`;
  const before = Array.from({ length: numbers }, (_, index) => `${u16(bytes, data + 2 * index)} `);
  return `${before.join("")}${nameText()}`;
}

/** RFC 5952 §4: no leading zeros, and a row of zeros left out. */
function ipv6Text(bytes: Uint8Array, at: number): string {
  const words = Array.from({ length: 8 }, (_, index) => u16(bytes, at + 2 * index).toString(16));
  return words.join(":").replace(/(?:^|:)0(?::0)+(?:$|:)/, "::");
}

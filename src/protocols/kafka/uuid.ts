const ALPHABET = new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const UUID_BYTES = 16;
const TEXT_BYTES = 22;

/** Reused. */
const text = new Uint8Array(TEXT_BYTES);

/** A uuid as Kafka prints it: base64 of the URL alphabet without padding (RFC 4648 §5). Reused; copy what must outlive the next call. */
export function uuidText(uuid: Uint8Array): Uint8Array {
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let from = 0; from < UUID_BYTES; from++) {
    held = ((held << 8) | uuid[from]!) & 0xffff;
    for (bits += 8; bits >= 6; bits -= 6) text[to++] = ALPHABET[(held >> (bits - 6)) & 0x3f]!;
  }
  text[to] = ALPHABET[(held << (6 - bits)) & 0x3f]!;
  return text;
}

/** The uuid of nothing: a topic that is named instead. */
export function isNoUuid(uuid: Uint8Array): boolean {
  for (let at = 0; at < UUID_BYTES; at++) if (uuid[at] !== 0) return false;
  return true;
}

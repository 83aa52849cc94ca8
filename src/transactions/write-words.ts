import { TEXT_CAPACITY } from "./transaction.ts";

const BLANK = 0x20;

/**
 * Writes the words of a whole request into an entry's room in `text`: bytes[nameStart, nameEnd), a blank, and the key
 * bytes[keyStart, keyEnd), unless keyStart is 0. Returns their lengths as `Word.text` holds them.
 */
// Runs for every request, when something prints them.
export function writeWords(
  text: Uint8Array,
  entry: number,
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  keyStart: number,
  keyEnd: number,
): number {
  const room = entry * TEXT_CAPACITY;
  const nameLength = Math.min(nameEnd - nameStart, TEXT_CAPACITY);
  for (let i = 0; i < nameLength; i++) text[room + i] = bytes[nameStart + i]!;
  if (keyStart === 0 || nameLength === TEXT_CAPACITY) return nameLength;
  text[room + nameLength] = BLANK;
  const from = nameLength + 1;
  const keyLength = Math.min(keyEnd - keyStart, TEXT_CAPACITY - from);
  for (let i = 0; i < keyLength; i++) text[room + from + i] = bytes[keyStart + i]!;
  return (from + keyLength) | (from << 8) | ((from + keyLength) << 16);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** An address in four words, IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2); null for what is none. */
export function canonicalWords(text: string): number[] | null {
  if (IPV4.test(text)) return [0, 0, 0xffff, word4(text)];
  if (!text.includes(":") || !/^[\da-f:.]+$/i.test(text)) return null;
  const dotted = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  if (dotted !== null && !IPV4.test(dotted[2]!)) return null;
  const low = dotted === null ? 0 : word4(dotted[2]!);
  const hex = dotted === null ? text : `${dotted[1]}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`;
  const halves = hex.split("::");
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return null;
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map((at) => (numbers[at]! << 16) | numbers[at + 1]!);
}

function word4(text: string): number {
  return text.split(".").reduce((word, part) => (word << 8) | Number(part), 0);
}

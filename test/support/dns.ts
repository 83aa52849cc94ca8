/** A DNS message with one question, for an address unless told otherwise (RFC 1035 §4.1). */
export function question(id: number, name: string, type = 1): Buffer {
  return message(id, 0x0100, name, type, 0);
}

/** Its answer, without records; `rcode` 3 is NXDOMAIN. */
export function answer(id: number, name: string, type = 1, rcode = 0): Buffer {
  return message(id, 0x8180, name, type, rcode);
}

function message(id: number, flags: number, name: string, type: number, rcode: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags | rcode, 2);
  header.writeUInt16BE(1, 4);
  const labels = name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1"));
  return Buffer.concat([header, ...labels, Buffer.from([0, type >> 8, type & 255, 0, 1])]);
}

/** As it stands in a TCP stream. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
}

/** Kafka's frames as Latin-1 text, for tests that need whole dialogues of them; few apis, old versions. */

/** Big-endian integers. */
function i16(value: number): string {
  return String.fromCharCode((value >> 8) & 0xff, value & 0xff);
}

export function i32(value: number): string {
  return i16(value >> 16) + i16(value);
}

function i64(value: number): string {
  return i32(0) + i32(value);
}

function text(value: string): string {
  return i16(value.length) + value;
}

function frame(body: string): string {
  return i32(body.length) + body;
}

function request(apiKey: number, version: number, id: number, body: string): string {
  return frame(i16(apiKey) + i16(version) + i32(id) + text("test") + body);
}

/** SaslHandshake v0: what follows is tokens. */
export function saslHandshake(id: number): string {
  return request(17, 0, id, text("SCRAM-SHA-256"));
}

export function saslHandshakeResponse(id: number): string {
  return frame(i32(id) + i16(0) + i32(1) + text("SCRAM-SHA-256"));
}

/** A token, from the client or the server. */
export function saslToken(token: string): string {
  return frame(token);
}

/** Heartbeat v0. */
export function heartbeat(id: number, group = "g"): string {
  return request(12, 0, id, text(group) + i32(1) + text("member"));
}

/** Its response: an error code. */
export function heartbeatResponse(id: number, errorCode = 0): string {
  return frame(i32(id) + i16(errorCode));
}

/** Produce v2, one partition. */
export function produce(id: number, acks: number, records: string, topic = "t"): string {
  return request(
    0,
    2,
    id,
    i16(acks) + i32(1000) + i32(1) + text(topic) + i32(1) + i32(0) + i32(records.length) + records,
  );
}

export function produceResponse(id: number, errorCode = 0, topic = "t"): string {
  const partition = i32(0) + i16(errorCode) + i64(7) + i64(1);
  return frame(i32(id) + i32(1) + text(topic) + i32(1) + partition + i32(0));
}

/** Fetch v4, one partition. */
export function fetch(id: number, maxWaitMs: number, topic = "t"): string {
  const partition = i32(0) + i64(7) + i32(1 << 20);
  const limits = i32(-1) + i32(maxWaitMs) + i32(1) + i32(1 << 20) + String.fromCharCode(0);
  return request(1, 4, id, limits + i32(1) + text(topic) + i32(1) + partition);
}

export function fetchResponse(id: number, records: string, topic = "t"): string {
  const partition = i32(0) + i16(0) + i64(7) + i64(7) + i32(-1) + i32(records.length) + records;
  return frame(i32(id) + i32(0) + i32(1) + text(topic) + i32(1) + partition);
}

/** ListOffsets v1, one partition. */
export function listOffsets(id: number, topic = "t"): string {
  return request(2, 1, id, i32(-1) + i32(1) + text(topic) + i32(1) + i32(0) + i64(0));
}

export function listOffsetsResponse(id: number, topic = "t"): string {
  return frame(i32(id) + i32(1) + text(topic) + i32(1) + i32(0) + i16(0) + i64(0) + i64(7));
}

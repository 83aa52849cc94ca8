let viewed: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(viewed.buffer);

/**
 * These bytes as words: four are read at once in the time of one. The view of the bytes asked for last is kept, and nearly all
 * bytes asked for lie in one and the same batch.
 */
// Runs for every segment with payload.
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) look(bytes);
  return view;
}

function look(bytes: Uint8Array): void {
  viewed = bytes;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import { TEXT_CAPACITY } from "./transaction.ts";

/** Where a linked list ends, and what `allocate` returns when there is no room. */
export const NIL = -1;
const FIRST_CAPACITY = 256;
/** Requests in flight, in all connections. At 220 bytes each this bounds the memory to about 115 MB. */
export const MAX_PENDING = 1 << 19;

/**
 * The requests that wait for their response, of all connections: one pool of entries, each field an array, so that a
 * request costs no allocation and a connection without requests no memory. Entries of a connection form a list.
 * The entry freed last is used first: at normal depths the same few cache lines serve for ever.
 */
export class PendingPool {
  next = new Int32Array(FIRST_CAPACITY);
  startUs = new Float64Array(FIRST_CAPACITY);
  endUs = new Float64Array(FIRST_CAPACITY);
  requestNumber = new Float64Array(FIRST_CAPACITY);
  /** Places in the client's stream, counted from where its bytes began to be seen: first byte, and behind the last. */
  startOffset = new Float64Array(FIRST_CAPACITY);
  endOffset = new Float64Array(FIRST_CAPACITY);
  commandId = new Int32Array(FIRST_CAPACITY);
  replyKind = new Int32Array(FIRST_CAPACITY);
  id = new Int32Array(FIRST_CAPACITY);
  flags = new Int32Array(FIRST_CAPACITY);
  /** Segments of this request that were sent again. */
  retransmissions = new Int32Array(FIRST_CAPACITY);
  transactionClass = new Uint8Array(FIRST_CAPACITY);
  /** 1: reported as unanswered already; it keeps its place, so that a late response finds it. */
  isExpired = new Uint8Array(FIRST_CAPACITY);
  textLength = new Uint8Array(FIRST_CAPACITY);
  keyStart = new Uint8Array(FIRST_CAPACITY);
  keyEnd = new Uint8Array(FIRST_CAPACITY);
  /** TEXT_CAPACITY bytes an entry. */
  text = new Uint8Array(FIRST_CAPACITY * TEXT_CAPACITY);
  used = 0;
  #free = NIL;
  #fresh = 0;
  #capacity = FIRST_CAPACITY;

  /** An entry whose fields hold anything, or NIL when MAX_PENDING are in use. */
  // Runs for every request.
  allocate(): number {
    let entry = this.#free;
    if (entry !== NIL) this.#free = this.next[entry]!;
    else {
      if (this.#fresh === this.#capacity && !this.#grow()) return NIL;
      entry = this.#fresh++;
    }
    this.used++;
    this.next[entry] = NIL;
    return entry;
  }

  // Runs for every request.
  release(entry: number): void {
    this.next[entry] = this.#free;
    this.#free = entry;
    this.used--;
  }

  #grow(): boolean {
    if (this.#capacity >= MAX_PENDING) return false;
    const capacity = this.#capacity * 2;
    this.next = grownInt32(this.next, capacity);
    this.startUs = grownFloat64(this.startUs, capacity);
    this.endUs = grownFloat64(this.endUs, capacity);
    this.requestNumber = grownFloat64(this.requestNumber, capacity);
    this.startOffset = grownFloat64(this.startOffset, capacity);
    this.endOffset = grownFloat64(this.endOffset, capacity);
    this.commandId = grownInt32(this.commandId, capacity);
    this.replyKind = grownInt32(this.replyKind, capacity);
    this.id = grownInt32(this.id, capacity);
    this.flags = grownInt32(this.flags, capacity);
    this.retransmissions = grownInt32(this.retransmissions, capacity);
    this.transactionClass = grownUint8(this.transactionClass, capacity);
    this.isExpired = grownUint8(this.isExpired, capacity);
    this.textLength = grownUint8(this.textLength, capacity);
    this.keyStart = grownUint8(this.keyStart, capacity);
    this.keyEnd = grownUint8(this.keyEnd, capacity);
    this.text = grownUint8(this.text, capacity * TEXT_CAPACITY);
    this.#capacity = capacity;
    return true;
  }
}

function grownInt32(old: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity);
  grown.set(old);
  return grown;
}

function grownFloat64(old: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity);
  grown.set(old);
  return grown;
}

function grownUint8(old: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity);
  grown.set(old);
  return grown;
}

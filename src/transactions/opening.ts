import { Piece } from "../connection/receiver.ts";

/** Of one connection; a longer beginning is not kept, and the connection left alone. */
const MAX_BYTES = 2048;
const MAX_PIECES = 64;
/** What a piece costs besides its bytes. */
const PIECE_BYTES = 512;
/** Of all connections. */
const CAPACITY_BYTES = 4 << 20;

/** Room for what is kept until it is known which protocol it is: all connections of a run share it. */
export class OpeningRoom {
  freeBytes = CAPACITY_BYTES;
}

/** The first bytes of a client that may yet turn out to be a protocol's: a part of a request, or one that several protocols have. */
export class Opening {
  readonly pieces: Piece[] = [];
  /** All of them so far. */
  bytes: Uint8Array = new Uint8Array(0);
  private readonly room: OpeningRoom;
  private taken = 0;

  constructor(room: OpeningRoom) {
    this.room = room;
  }

  /** All bytes, with those of this piece behind them. */
  with(piece: Piece): Uint8Array {
    const bytes = new Uint8Array(this.bytes.length + piece.end - piece.start);
    bytes.set(this.bytes);
    bytes.set(piece.bytes.subarray(piece.start, piece.end), this.bytes.length);
    return bytes;
  }

  /** Keeps a copy of the piece; `bytes` are all, this piece's at the end. False where there is no room for it. */
  keep(piece: Piece, bytes: Uint8Array): boolean {
    const cost = piece.end - piece.start + PIECE_BYTES;
    if (bytes.length > MAX_BYTES || this.pieces.length >= MAX_PIECES || cost > this.room.freeBytes) return false;
    this.room.freeBytes -= cost;
    this.taken += cost;
    const start = this.bytes.length;
    // The first piece's bytes lie in the batch, which is reused (and of which `slice` would make no copy).
    this.bytes = start === 0 ? new Uint8Array(bytes) : bytes;
    this.pieces.push(Object.assign(new Piece(), piece, { bytes: this.bytes, start, end: bytes.length }));
    return true;
  }

  /** Gives its room back. */
  release(): void {
    this.room.freeBytes += this.taken;
    this.taken = 0;
  }
}

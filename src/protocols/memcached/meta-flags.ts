import { Echo, Shape } from "./reply-kind.ts";

const FLAG_b = 0x62;
const FLAG_k = 0x6b;
const FLAG_N = 0x4e;
const FLAG_O = 0x4f;
const FLAG_q = 0x71;
const FLAG_v = 0x76;

// Runs for every message.

/** The id made of an opaque's or key's hash: 31 bits, never 0, which means none. */
export function idOfHash(hash: number): number {
  return hash & 0x7fffffff || 1;
}

/**
 * What the flags of a meta command say about its response (memcached `protocol.txt`, "Meta Commands"). Also counts a
 * line's keys and remembers the hash of the first.
 */
export class MetaFlags {
  keys = 0;
  private keyHash = 0;
  private opaqueHash = 0;
  private hasOpaque = false;
  private isKeyEchoed = false;
  private isBase64 = false;
  private isQuiet = false;
  private wantsValue = false;
  private canCreate = false;
  private isCut = false;

  begin(): void {
    this.keys = 0;
    this.isCut = false;
    this.keyHash = 0;
    this.opaqueHash = 0;
    this.hasOpaque = false;
    this.isKeyEchoed = false;
    this.isBase64 = false;
    this.isQuiet = false;
    this.wantsValue = false;
    this.canCreate = false;
  }

  key(hash: number): void {
    if (this.keys === 0) {
      this.keyHash = hash;
    }
    this.keys++;
  }

  /** The rest of the line cannot be seen: more keys and flags may have stood there. */
  cutOff(): void {
    this.keys = 0;
    this.isCut = true;
  }

  flag(letter: number, tokenHash: number): void {
    if (letter === FLAG_q) {
      this.isQuiet = true;
    } else if (letter === FLAG_v) {
      this.wantsValue = true;
    } else if (letter === FLAG_k) {
      this.isKeyEchoed = true;
    } else if (letter === FLAG_b) {
      this.isBase64 = true;
    } else if (letter === FLAG_N) {
      this.canCreate = true;
    } else if (letter === FLAG_O) {
      this.hasOpaque = true;
      this.opaqueHash = tokenHash;
    }
  }

  echo(): Echo {
    if (this.hasOpaque) {
      return Echo.opaque;
    }
    if (!this.isKeyEchoed) {
      return Echo.none;
    }
    return this.isBase64 ? Echo.encodedKey : Echo.key;
  }

  /** 0 where nothing is repeated that could be compared. */
  id(): number {
    const echo = this.echo();
    if (echo === Echo.none || echo === Echo.encodedKey) {
      return 0;
    }
    return idOfHash(echo === Echo.opaque ? this.opaqueHash : this.keyHash);
  }

  /** A meta command's shape, refined by `q`, `v` and `N`. */
  shape(shape: Shape): Shape {
    if (shape === Shape.metaGet) {
      if (this.isQuiet) {
        return this.wantsValue ? Shape.quietMetaGetValue : Shape.quietMetaGet;
      }
      if (this.wantsValue) return Shape.metaGetValue;
      return this.isCut ? Shape.metaGetCut : shape;
    }
    if (!this.isQuiet) {
      return shape;
    }
    if (shape === Shape.metaSet) {
      return Shape.quietMetaSet;
    }
    if (shape === Shape.metaDelete) {
      return Shape.quietMetaDelete;
    }
    return this.canCreate ? Shape.quietMetaCreate : Shape.quietMetaArithmetic;
  }
}

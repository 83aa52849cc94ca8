import type { Exchange } from "../protocol.ts";
import type { Modes } from "./modes.ts";
import type { ShortWord } from "./words.ts";

/** Values of `REPLCONF ACK <offset>` up to its end: the array and its three words. */
const VALUES = 4;
const REPLCONF_BYTES = 8;
const ACK_BYTES = 3;

/**
 * Tells what a replica sends its primary each second, `REPLCONF ACK <offset>` (and, since Redis 7.2, `FACK <offset>` behind it), from a reply of such
 * words: where the replica is taken for the server, since its link began before the capture.
 */
export class ReplicaAck {
  /** So far the message may be one. */
  isPossible = false;
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  /** The word being read. */
  private readonly word: ShortWord;

  constructor(exchange: Exchange, modes: Modes, word: ShortWord) {
    this.exchange = exchange;
    this.modes = modes;
    this.word = word;
  }

  /** An array of so many elements begins the message: none where such words are a value that a client asked for. */
  arrayBegins(count: number): void {
    const { modes } = this;
    const mayBe = (count === 3 || count === 5) && modes.mayBeReplica && !modes.isSpecial;
    this.isPossible = mayBe && !this.exchange.hasPaired;
  }

  /** A word of so many bytes begins, the message's `values`th value; returns whether it is to be read: what follows the offset does not matter. */
  wordBegins(values: number, bytes: number): boolean {
    const { word } = this;
    if (values === 2) this.isPossible = bytes === REPLCONF_BYTES;
    else if (values === 3) this.isPossible = bytes === ACK_BYTES && word.is("REPLCONF");
    else if (values === VALUES) this.isPossible = word.is("ACK");
    const isRead = values === 2 || (values <= VALUES && this.isPossible);
    if (isRead) word.clear();
    return isRead;
  }

  /** Whether what seemed to be one, and has ended with so many values, is one. */
  isOne(values: number): boolean {
    if (values >= VALUES && this.word.toCount() >= 0) return true;
    this.word.clear();
    return false;
  }
}

import { distance } from "../connection/sequence.ts";

/** A client that pipelines as it likes is quiet when nobody spoke for this long, or for 3 of its longest waits. */
const QUIET_US = 20_000;
const QUIET_UNKNOWN_US = 1_000_000;
/** A client that did so this often, and never otherwise, waits for all its responses before it sends again. */
const PROVEN_WAITS = 3;
/** For one that was never seen to have two requests under way. */
const FEW_WAITS = 1;

/**
 * What the acknowledgement numbers tell about where requests begin (T9), when the bytes themselves cannot be followed.
 *
 * A client segment "leads" where it acknowledges more than the client's segment before it: the client has received something
 * in between. A client that waits for its responses is then at the beginning of a request, and whatever the server sends
 * next is the response, provided that
 *
 * - the segment acknowledges everything that the server has sent, and
 * - no segment stood between: either no byte of the client is missing just before it, or the server's last bytes
 *   acknowledge everything before it. (Of a request in two segments the first may be missing; the second then seems
 *   to lead, but what the server sent last was sent before it had the first.)
 *
 * Whether a client waits is known from what it did while all could be followed. One that was ever seen to send with a
 * response still due does not; it must have been quiet, moreover, for longer than any of its requests took, with the server's last
 * bytes acknowledging all before: then nothing is under way.
 */
export class Anchor {
  /** A client segment that led was seen while a response was due: it does not wait for its responses. */
  isAsync = false;
  #waits = 0;
  #hasPipelined = false;
  #hasClientData = false;
  #endsClientInHole = false;
  #clientAcknowledged = 0;
  #clientLastUs = 0.5;
  #hasServerData = false;
  #endsServerInHole = false;
  #serverNext = 0;
  #serverAcknowledged = 0;
  #serverLastUs = 0.5;

  /** Client segments since the last that led. */
  #burst = 0;

  /** Whether a client segment with this acknowledgement number leads; to be asked before `clientSent`. */
  // Runs for every segment with payload.
  leads(acknowledgement: number): boolean {
    return !this.#hasClientData || distance(acknowledgement, this.#clientAcknowledged) > 0;
  }

  /** Notes a client segment. */
  // Runs for every segment with payload.
  clientSent(acknowledgement: number, timeUs: number): void {
    if (this.leads(acknowledgement)) {
      this.#clientAcknowledged = acknowledgement;
      this.#burst = 0;
    }
    this.#burst++;
    this.#hasClientData = true;
    this.#endsClientInHole = false;
    this.#clientLastUs = timeUs;
  }

  /** Bytes of the client are missing. */
  clientLost(): void {
    this.#endsClientInHole = true;
  }

  /** Notes a server segment; `next` is the sequence number behind it. */
  // Runs for every segment with payload.
  serverSent(next: number, acknowledgement: number, timeUs: number): void {
    this.#hasServerData = true;
    this.#endsServerInHole = false;
    this.#serverNext = next;
    this.#serverAcknowledged = acknowledgement;
    this.#serverLastUs = timeUs;
  }

  /** Bytes of the server are missing, up to the sequence number `next`. */
  serverLost(next: number): void {
    this.#hasServerData = true;
    this.#endsServerInHole = true;
    this.#serverNext = next;
  }

  /**
   * Weighs a client segment that leads. `isKnown`: all before it could be followed (else two segments may have been two
   * requests, and prove nothing); `isDue`: a response is known to be due; `hasPipelined`: requests were seen to wait together,
   * so that only what the client does from then on counts.
   */
  weigh(sequence: number, acknowledgement: number, isKnown: boolean, isDue: boolean, hasPipelined: boolean): void {
    if (hasPipelined && !this.#hasPipelined) {
      this.#hasPipelined = true;
      this.#waits = 0;
    }
    const isAnswered = this.#isAnswered(sequence);
    // A hole may reach further than what was read: only bytes that were seen show that the client did not wait for them.
    const isUnread = !this.isAllRead(acknowledgement) && !this.#endsServerInHole;
    if (isDue || isUnread) this.isAsync = true;
    else if (isAnswered) {
      if (isKnown || this.#burst === 1) this.#waits++;
      else if (this.#waits < PROVEN_WAITS) this.#waits = 0;
    } else if (this.#hasServerData && !this.#endsServerInHole && !this.#endsClientInHole) this.isAsync = true;
  }

  /** What was believed of this client turned out to be wrong: it has to prove itself again. */
  distrust(): void {
    this.#waits = 0;
  }

  /** Whether all that the server has sent is acknowledged by this number. */
  isAllRead(acknowledgement: number): boolean {
    return !this.#hasServerData || acknowledgement === this.#serverNext;
  }

  /** Whether the client's first segment that was seen may be the first of a request, if it looks like one. */
  isFirst(sequence: number): boolean {
    return !this.#hasClientData && !this.#endsClientInHole && (!this.#hasServerData || this.#isAnswered(sequence));
  }

  /**
   * Whether a client segment that leads, and has read all, provably begins a request with nothing under way. `isKnown`: the
   * client's bytes could be followed from its first on. Then, where it never had two requests under way, there is nothing
   * to prove.
   */
  isProven(sequence: number, timeUs: number, longestWaitUs: number, isKnown: boolean): boolean {
    const isAnswered = this.#isAnswered(sequence);
    const needed = this.#hasPipelined ? PROVEN_WAITS : isKnown ? 0 : FEW_WAITS;
    if (!this.isAsync && this.#waits >= needed && (isAnswered || !this.#endsClientInHole)) return true;
    return isAnswered && this.#isQuiet(timeUs, longestWaitUs);
  }

  /** The server's last bytes acknowledge everything that the client sent before `sequence`. */
  #isAnswered(sequence: number): boolean {
    return this.#hasServerData && !this.#endsServerInHole && distance(this.#serverAcknowledged, sequence) >= 0;
  }

  #isQuiet(timeUs: number, longestWaitUs: number): boolean {
    const quietUs = longestWaitUs < 1 ? QUIET_UNKNOWN_US : Math.max(QUIET_US, 3 * longestWaitUs);
    return timeUs - Math.max(this.#clientLastUs, this.#serverLastUs) >= quietUs;
  }
}

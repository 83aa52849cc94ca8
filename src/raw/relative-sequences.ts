/** Connections whose first sequence numbers are known at most; beyond, those first seen are forgotten, and begin anew. */
const CAPACITY = 65_536;

/** The first sequence number of each end: of the one whose endpoint's text is the lesser, and of the other. */
interface Origins {
  lesser: number;
  greater: number;
}

/** What is taken off the numbers of a segment: of its sequence numbers, and of what it acknowledges. */
export interface Base {
  readonly sequence: number;
  readonly acknowledgement: number;
}

const NONE: Base = { sequence: 0, acknowledgement: 0 };

/**
 * Sequence numbers as tcpdump shows them: counted from the connection's first segment with an ACK, which itself is shown as it is.
 * So are segments without an ACK (the SYN among them), and each SYN-ACK begins anew.
 */
export class RelativeSequences {
  readonly #known = new Map<string, Origins>();

  /** Takes a segment with an ACK; `of` is what to take off its numbers, and `ofSack` off the edges of its SACK blocks. */
  take(
    source: string,
    destination: string,
    isSyn: boolean,
    sequence: number,
    acknowledgement: number,
  ): { of: Base; ofSack: number } {
    const isLesser = source < destination;
    const key = isLesser ? `${source} ${destination}` : `${destination} ${source}`;
    let origins = this.#known.get(key);
    const isFirst = origins === undefined || isSyn;
    if (isFirst) {
      const peer = (acknowledgement - 1) >>> 0;
      origins = isLesser ? { lesser: sequence, greater: peer } : { lesser: peer, greater: sequence };
      this.#keep(key, origins);
    }
    const { lesser, greater } = origins!;
    const [own, peer] = isLesser ? [lesser, greater] : [greater, lesser];
    return { of: isFirst ? NONE : { sequence: own, acknowledgement: peer }, ofSack: peer };
  }

  #keep(key: string, origins: Origins): void {
    if (this.#known.size >= CAPACITY && !this.#known.has(key)) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, origins);
  }
}

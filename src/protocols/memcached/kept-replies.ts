import { type Exchange, NONE_PENDING } from "../protocol.ts";
import { settleQuiet, tellLookups } from "./lookups.ts";
import { fits, isQuiet, type Reply, straysOf } from "./reply-kind.ts";

/** Pending requests looked at, from the oldest on: looking at the n-th costs n steps. */
const MAX_LOOKED_AT = 512;
/** Replies kept at once; then the likeliest is taken. */
const MAX_KEPT = 64;

interface KeptReply {
  readonly reply: Reply;
  /** Positions of the pending requests that it can belong to, in order. */
  readonly places: readonly number[];
}

/**
 * Replies of which nobody can tell yet whose they are. The server answers in order, and those that are not quiet all of
 * them, yet a quiet one may have had nothing to say: of `md a q`, `md b` and the reply `NF` either may have got it. What
 * comes next tells: were it `a`'s, another would have to come for `b` before anything of a later request.
 *
 * So a reply that may be a quiet request's or that of the next one that is not quiet is kept, with all those behind it, until all ways
 * to give them to the pending requests, in order and without leaving out one that is not quiet, agree on which of the latter are
 * answered. Among quiet ones the first that can have spoken is taken: whatever comes then, it has a place.
 */
export class KeptReplies {
  private readonly exchange: Exchange;
  private readonly kept: KeptReply[] = [];
  /** Of the pending requests, as far as they were looked at: their replyKinds and ids. Valid while a reply is kept. */
  private readonly kinds: number[] = [];
  private readonly ids: number[] = [];
  /** So many of the oldest pending requests are known to be quiet. */
  private quietAhead = 0;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get isEmpty(): boolean {
    return this.kept.length === 0;
  }

  /** What was pending is given up, and what was kept with it. */
  forget(): void {
    this.clear();
    this.quietAhead = 0;
  }

  /** The oldest pending request has been answered, or settled. */
  // Runs for every response.
  passed(): void {
    if (this.quietAhead > 0) this.quietAhead--;
  }

  /** Whether a reply that the oldest pending request, a quiet one, can have given may as well be that of the next one that is not. */
  isOpen(reply: Reply): boolean {
    const exchange = this.exchange;
    if (exchange.pendingCount < this.quietAhead) this.quietAhead = 0;
    while (this.quietAhead < MAX_LOOKED_AT && isQuiet(exchange.replyKindAt(this.quietAhead))) this.quietAhead++;
    const kind = exchange.replyKindAt(this.quietAhead);
    return kind !== NONE_PENDING && !isQuiet(kind) && fits(kind, exchange.idAt(this.quietAhead), reply);
  }

  /** Position of the first pending request whose reply this can be, behind those kept; -1 where there is none. */
  placeBehind(reply: Reply): number {
    return this.placesOf(reply)[0] ?? -1;
  }

  /** Keeps the message that ends before `at` (`reply` is copied), and tells all that are kept once it is known whose they are. */
  keep(at: number, reply: Reply): void {
    const places = this.placesOf(reply);
    this.exchange.keep(at, reply.errorId);
    this.kept.push({ reply: { ...reply }, places });
    const first = places[0]!;
    if (this.countLoud(first + 1, places.at(-1)! + 1) === 0) this.tell(first);
    else if (this.kept.length >= MAX_KEPT) this.decide(true);
  }

  /**
   * Nothing more is to come that would tell (`isLast`), or the client has read all and goes on: then those that are not quiet have been
   * answered, if so many replies came. The request at `limit` has not been answered by any of those kept (-1: nobody knows of one).
   */
  decide(isLast: boolean, limit = -1): void {
    const last = this.kept.at(-1);
    if (last === undefined) return;
    const within = last.places.filter((place) => limit < 0 || place < limit);
    const places = within.length > 0 ? within : last.places;
    let place = places.at(-1)!;
    if (!isLast && this.countLoud(place + 1, MAX_LOOKED_AT) > 0) return;
    for (const each of places) {
      if (this.countLoud(each + 1, place + 1) === 0) place = Math.min(place, each);
    }
    this.tell(place);
  }

  /** The first pending request before which a line of garbage is still to be answered. */
  get strayPlace(): number {
    let place = 0;
    while (this.kindAt(place) !== NONE_PENDING && straysOf(this.kindAt(place)) === 0) place++;
    return place;
  }

  /** There is one. */
  get isStrayDue(): boolean {
    return this.kindAt(this.strayPlace) !== NONE_PENDING;
  }

  /** Where the next reply can belong: behind a place of the one before, with none between that must be answered. */
  private placesOf(reply: Reply): number[] {
    if (this.kept.length > 0 && this.exchange.pendingCount < this.kinds.length) this.clear();
    const before = this.kept.at(-1)?.places ?? [];
    const places: number[] = [];
    let isReachable = before.length === 0;
    let index = 0;
    for (let place = before[0] ?? 0; isReachable || index < before.length; place++) {
      const kind = this.kindAt(place);
      if (kind === NONE_PENDING) break;
      if (isReachable && fits(kind, this.ids[place]!, reply)) places.push(place);
      if (!isQuiet(kind)) isReachable = false;
      if (before[index] === place) {
        isReachable = true;
        index++;
      }
    }
    return places;
  }

  /** Gives the last reply to the request at `place`, and those before to the first ones that they can belong to. */
  private tell(place: number): void {
    const chosen: number[] = [place];
    for (let index = this.kept.length - 2; index >= 0; index--) {
      const next = chosen[0]!;
      const found = this.kept[index]!.places.find((each) => each < next && this.countLoud(each + 1, next) === 0);
      chosen.unshift(found!);
    }
    const replies = this.kept.map(({ reply }) => reply);
    this.clear();
    this.quietAhead = Math.max(0, this.quietAhead - place - 1);
    let front = 0;
    for (const [index, each] of chosen.entries()) {
      settleQuiet(this.exchange, each - front);
      front = each + 1;
      tellLookups(this.exchange, replies[index]!);
      this.exchange.answerKept();
    }
  }

  private clear(): void {
    this.kept.length = 0;
    this.kinds.length = 0;
    this.ids.length = 0;
  }

  /** Pending requests at [from, to) that are not quiet. */
  private countLoud(from: number, to: number): number {
    let count = 0;
    for (let place = from; place < to; place++) {
      const kind = this.kindAt(place);
      if (kind === NONE_PENDING) break;
      if (!isQuiet(kind)) count++;
    }
    return count;
  }

  private kindAt(place: number): number {
    while (this.kinds.length <= place && this.kinds.length < MAX_LOOKED_AT) {
      const kind = this.exchange.replyKindAt(this.kinds.length);
      if (kind === NONE_PENDING) break;
      this.ids.push(this.exchange.idAt(this.kinds.length));
      this.kinds.push(kind);
    }
    return this.kinds[place] ?? NONE_PENDING;
  }
}

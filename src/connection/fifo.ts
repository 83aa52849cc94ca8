/** Places at least; a power of two. */
const LEAST_PLACES = 1024;
/** With so many times its content in places, half of them are given back. */
const IDLE_PLACES = 8;

/** First in, first out, in a ring of places: what passes through costs no memory once there are enough of them. */
export class Fifo<Item> {
  /** A power of two; `undefined` where there is no item. */
  private places: (Item | undefined)[] = [];
  private from = 0;
  length = 0;

  /** The oldest item. */
  get first(): Item | undefined {
    return this.length === 0 ? undefined : this.places[this.from];
  }

  push(item: Item): void {
    if (this.length === this.places.length) this.resize(Math.max(LEAST_PLACES, this.length * 2));
    this.places[(this.from + this.length++) & (this.places.length - 1)] = item;
  }

  /** Takes the oldest item out. */
  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const { places } = this;
    const item = places[this.from];
    places[this.from] = undefined;
    this.from = (this.from + 1) & (places.length - 1);
    this.length--;
    if (places.length > LEAST_PLACES && this.length * IDLE_PLACES < places.length) this.resize(places.length >> 1);
    return item;
  }

  private resize(count: number): void {
    const places = new Array<Item | undefined>(count).fill(undefined);
    for (let i = 0; i < this.length; i++) places[i] = this.places[(this.from + i) & (this.places.length - 1)];
    this.places = places;
    this.from = 0;
  }
}

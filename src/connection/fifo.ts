/** What is gone from the front is given back once it is this much, and half of all. */
const TRIM = 1024;

/** First in, first out, at the cost of an array's push. Holds no more memory than twice its longest content of late. */
export class Fifo<Item> {
  private items: Item[] = [];
  private from = 0;

  get length(): number {
    return this.items.length - this.from;
  }

  /** The oldest item. */
  get first(): Item | undefined {
    return this.items[this.from];
  }

  push(item: Item): void {
    this.items.push(item);
  }

  /** Takes the oldest item out. */
  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.items[this.from++];
    if (this.from >= TRIM && this.from * 2 >= this.items.length) {
      this.items = this.items.slice(this.from);
      this.from = 0;
    }
    return item;
  }

  /** Drops whatever `keeps` is false for. */
  retain(keeps: (item: Item) => boolean): void {
    this.items = this.items.slice(this.from).filter(keeps);
    this.from = 0;
  }
}

/** The slowest of what came, at most so many. Of equally slow ones the first stays. */
export class Slowest<Item extends { readonly name: string; readonly latencyUs: number }> {
  readonly #capacity: number;
  /** The least slow one first. */
  #items: Item[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Whether one as slow as this would be among them. */
  wants(latencyUs: number): boolean {
    return this.#items.length < this.#capacity || latencyUs > this.#items[0]!.latencyUs;
  }

  /** Takes one of those wanted, in place of what has the same name. Returns those that are no longer among them. */
  add(item: Item): readonly Item[] {
    this.#items = this.#items.filter(({ name }) => name !== item.name);
    const at = this.#items.findIndex(({ latencyUs }) => latencyUs >= item.latencyUs);
    this.#items.splice(at < 0 ? this.#items.length : at, 0, item);
    return this.#items.splice(0, Math.max(0, this.#items.length - this.#capacity));
  }

  /** Forgets all but those of these names. */
  retain(names: ReadonlySet<string>): void {
    this.#items = this.#items.filter(({ name }) => names.has(name));
  }

  /** Takes those out that are `due`, the slowest first. */
  take(isDue: (item: Item) => boolean): Item[] {
    const due = this.#items.filter(isDue).reverse();
    if (due.length > 0) this.#items = this.#items.filter((item) => !isDue(item));
    return due;
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#items[Symbol.iterator]();
  }
}

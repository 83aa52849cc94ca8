import { Effect } from "./commands.ts";
import type { ShortWord } from "./words.ts";

/**
 * Which arguments of a request are secret: passwords of AUTH, HELLO … AUTH, CONFIG SET, ACL SETUSER, SENTINEL SET and
 * MIGRATE … AUTH/AUTH2. They are never shown, whatever is asked for.
 */
export class Secrets {
  #showsValues = false;
  /** The sub-command: which of the forms below. */
  #form = 0;
  /** Arguments from here on are secret, this many. */
  #from = Number.POSITIVE_INFINITY;
  #count = 0;
  #hasHidden = false;

  begin(showsValues: boolean): void {
    this.#showsValues = showsValues;
    this.#form = Form.none;
    this.#from = Number.POSITIVE_INFINITY;
    this.#count = 0;
    this.#hasHidden = false;
  }

  /** Whether the argument that begins now is to be shown as `(redacted)`. */
  isSecret(effect: number, argument: number): boolean {
    if (effect === Effect.auth) return true;
    if (effect === Effect.hello) return argument > 1;
    return this.#showsValues && argument >= this.#from && argument < this.#from + this.#count;
  }

  /** True once per run of secret arguments: they are shown as one word. */
  isFirstHidden(): boolean {
    const isFirst = !this.#hasHidden;
    this.#hasHidden = true;
    return isFirst;
  }

  /** Learns from an argument that has been read. */
  note(effect: number, argument: number, word: ShortWord): void {
    if (effect !== Effect.mayTellSecrets) return;
    if (argument === 1) {
      if (word.is("SETUSER")) this.#hide(3, Number.POSITIVE_INFINITY);
      else if (word.is("SET")) this.#form = Form.set;
      else if (word.is("CONFIG")) this.#form = Form.sentinelConfig;
      return;
    }
    if (this.#form === Form.sentinelConfig && argument === 2 && word.is("SET")) this.#form = Form.set;
    if (this.#form === Form.set) {
      // Names and values take turns; a name that speaks of a secret hides the value behind it.
      const isTelling = word.contains("PASS") || word.contains("AUTH") || word.contains("SECRET");
      const isValue = argument >= this.#from && argument < this.#from + this.#count;
      if (isTelling && !isValue) this.#hide(argument + 1, 1);
    } else if (this.#form === Form.none && argument > 1 && word.length <= 5) {
      // MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS …]
      if (word.is("AUTH") && this.#count === 0) this.#hide(argument + 1, 1);
      else if (word.is("AUTH2") && this.#count === 0) this.#hide(argument + 1, 2);
    }
  }

  #hide(from: number, count: number): void {
    this.#from = from;
    this.#count = count;
    this.#hasHidden = false;
  }
}

const Form = { none: 0, set: 1, sentinelConfig: 2 } as const;

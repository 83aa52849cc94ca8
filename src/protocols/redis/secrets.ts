import { Effect } from "./commands.ts";
import type { ShortWord } from "./words.ts";

/**
 * Which arguments of a request are secret: passwords of AUTH, HELLO … AUTH, CONFIG SET, ACL SETUSER, SENTINEL SET, MODULE LOAD(EX) and
 * MIGRATE … AUTH/AUTH2. They are never shown, whatever is asked for.
 */
export class Secrets {
  private showsValues = false;
  /** The sub-command: which of the forms below. */
  private form = 0;
  /** Arguments from here on are secret, this many. */
  private from = Number.POSITIVE_INFINITY;
  private count = 0;
  private hasHidden = false;

  begin(showsValues: boolean): void {
    this.showsValues = showsValues;
    this.form = Form.none;
    this.from = Number.POSITIVE_INFINITY;
    this.count = 0;
    this.hasHidden = false;
  }

  /** Whether the argument is one that must not be shown. */
  isSecret(effect: number, argument: number): boolean {
    if (effect === Effect.auth || effect === Effect.unreadable) return true;
    if (effect === Effect.hello) return argument > 1;
    return argument >= this.from && argument < this.from + this.count;
  }

  /** Whether `(redacted)` stands for it; otherwise it is left out, as other values are. */
  isMarked(effect: number): boolean {
    return this.showsValues || effect === Effect.auth || effect === Effect.hello;
  }

  /** True once per run of secret arguments: they are shown as one word. */
  isFirstHidden(): boolean {
    const isFirst = !this.hasHidden;
    this.hasHidden = true;
    return isFirst;
  }

  /** Learns from an argument that has been read. */
  note(effect: number, argument: number, word: ShortWord): void {
    if (effect === Effect.migrate) this.noteMigrate(argument, word);
    if (effect !== Effect.mayTellSecrets && effect !== Effect.sentinel) return;
    if (word.isCut) {
      // Whatever it says in full, it may be what tells that a secret follows.
      this.hide(argument + 1, Number.POSITIVE_INFINITY);
      return;
    }
    if (argument === 1) {
      if (word.is("SETUSER")) this.hide(3, Number.POSITIVE_INFINITY);
      // ACL DRYRUN user command arguments: these are that command's.
      else if (word.is("DRYRUN")) this.hide(4, Number.POSITIVE_INFINITY);
      else if (word.is("LOAD") || word.is("LOADEX")) this.form = Form.load;
      else if (word.is("SET")) this.form = effect === Effect.sentinel ? Form.sentinelSet : Form.set;
      else if (word.is("CONFIG")) this.form = Form.sentinelConfig;
      return;
    }
    if (this.form === Form.sentinelConfig && argument === 2 && word.is("SET")) this.form = Form.sentinelConfigSet;
    else if (this.isName(argument) && !this.isSecret(effect, argument) && isTelling(word)) this.hide(argument + 1, 1);
  }

  /** Whether the argument may be a parameter's name, with its value behind it. */
  private isName(argument: number): boolean {
    if (this.form === Form.set) return argument % 2 === 0;
    if (this.form === Form.sentinelConfigSet) return argument % 2 === 1;
    // SENTINEL SET primary name value …, but some names have two values; MODULE LOADEX path [CONFIG name value]… [ARGS word…]
    return (this.form === Form.sentinelSet || this.form === Form.load) && argument > 2;
  }

  /** MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS …] */
  private noteMigrate(argument: number, word: ShortWord): void {
    if (argument < 6 || this.isSecret(Effect.migrate, argument)) return;
    // What cannot be read may be one of the words before AUTH.
    if (word.isCut) this.hide(argument + 1, Number.POSITIVE_INFINITY);
    else if (word.is("AUTH2")) this.hide(argument + 1, 2);
    else if (word.is("AUTH")) this.hide(argument + 1, 1);
  }

  private hide(from: number, count: number): void {
    this.from = from;
    this.count = count;
    this.hasHidden = false;
  }
}

const Form = { none: 0, set: 1, sentinelSet: 2, sentinelConfig: 3, sentinelConfigSet: 4, load: 5 } as const;

function isTelling(name: ShortWord): boolean {
  return name.contains("PASS") || name.contains("AUTH") || name.contains("SECRET");
}

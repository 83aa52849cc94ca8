import { Quiet } from "./transaction.ts";

/** Which requests get no reply, as CLIENT REPLY has asked. It is taken for granted that the server obeys. */
export class Silence {
  private isOff = false;
  private isSkip = false;
  /** Both are so, or not, by what EXEC was to execute. */
  private isByExec = false;

  /** The next request may get no reply. */
  get holds(): boolean {
    return this.isOff || this.isSkip;
  }

  /** No request gets a reply, until CLIENT REPLY ON. */
  get isLasting(): boolean {
    return this.isOff;
  }

  /** EXEC executes these: with `isOff`, the last of them stays silent; with `isSkip`, what follows EXEC does. */
  execute(isOff: boolean, isSkip: boolean): void {
    this.isOff = isOff;
    this.isSkip = isSkip && !isOff;
    this.isByExec = true;
  }

  /** The server has refused CLIENT REPLY itself, or has executed nothing of what EXEC was to execute. */
  refused(isQuietRefused: boolean, isExecRefused: boolean): void {
    // EXEC was answered: CLIENT REPLY was not OFF before.
    if (isQuietRefused || (isExecRefused && this.isByExec)) this.end();
  }

  /** Replies come again. */
  end(): void {
    this.isOff = this.isSkip = false;
  }

  /** A request may have been missed: it may be the one that SKIP was meant for, and, with `isHeard`, OFF does not hold any more. */
  resync(isHeard: boolean): void {
    this.isSkip = false;
    if (isHeard) this.isOff = false;
  }

  /** The next request: whether it gets no reply. */
  takes(quiet: Quiet): boolean {
    if (quiet > Quiet.reply) this.isByExec = false;
    if (quiet === Quiet.on) {
      this.end();
      return false;
    }
    if (quiet === Quiet.off) this.isOff = true;
    if (this.isOff) return true;
    if (quiet === Quiet.skip) {
      this.isSkip = true;
      return true;
    }
    const isSkipped = this.isSkip;
    this.isSkip = false;
    return isSkipped;
  }
}

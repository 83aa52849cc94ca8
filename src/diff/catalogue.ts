/** Texts that many records share, as small integers. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];

  id(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#texts.length;
      this.#ids.set(text, id);
      this.#texts.push(text);
    }
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? "";
  }
}

const SEPARATOR = " ";

/** The names of both sides: what is equal has the same number on both. */
export class Catalogue {
  /** `client server`, as both sides write a connection that no address translation stands in. */
  readonly pairs = new Names();
  /** `protocol command`. */
  readonly kinds = new Names();
  /** "" for ok, else `error WRONGTYPE` or `unanswered timeout`. */
  readonly outcomes = new Names();
  /** "" for nobody, else `KEYS`, or `KEYS elsewhere` of another connection. */
  readonly behinds = new Names();

  constructor() {
    this.behinds.id("");
  }

  pairId(client: string, server: string): number {
    return this.pairs.id(client + SEPARATOR + server);
  }

  pair(id: number): { readonly client: string; readonly server: string } {
    const [client = "", server = ""] = this.pairs.text(id).split(SEPARATOR);
    return { client, server };
  }

  kindId(protocol: string, command: string): number {
    return this.kinds.id(protocol + SEPARATOR + command);
  }

  kind(id: number): { readonly protocol: string; readonly command: string } {
    const [protocol = "", command = ""] = this.kinds.text(id).split(SEPARATOR);
    return { protocol, command };
  }

  outcomeId(status: string, error: string): number {
    return this.outcomes.id(status === "ok" ? "" : status + SEPARATOR + error);
  }

  outcome(id: number): { readonly status: string; readonly error: string | null } {
    const [status = "", error = ""] = this.outcomes.text(id).split(SEPARATOR);
    return status === "" ? { status: "ok", error: null } : { status, error };
  }

  /** Whom a request waited for; 0 stands for nobody. */
  behindId(command: string, isElsewhere: boolean): number {
    return this.behinds.id(isElsewhere ? `${command}${SEPARATOR}elsewhere` : command);
  }

  behind(id: number): { readonly command: string; readonly isElsewhere: boolean } | null {
    if (id === 0) return null;
    const [command = "", elsewhere] = this.behinds.text(id).split(SEPARATOR);
    return { command, isElsewhere: elsewhere !== undefined };
  }
}

const HIDDEN = "(redacted)";
const COLON = 0x3a;
const PERCENT = 0x25;
const SLASH = 0x2f;
const THREE = 0x33;

/** `://user:password@`, also percent-encoded, as URLs within a path or a query are: up to the last at sign of the authority. */
const CREDENTIALS = /(:\/\/|%3a%2f%2f)(?:(?!%2f)[^/?#&;])*(@|%40)/gi;
/** Parameters whose names say that their values are secrets. */
const SECRET =
  /([?&;](?:[^=&;]*(?:token|passw|pwd|secret|signature|credential|api[-_]?key|auth|session|jwt)[^=&;]*|sig|sid|pass|pw|key|code)=)[^&;]+/gi;

/** Whether bytes[start, end) may hold a URL: only then is there something to hide in a path. */
export function mayHoldUrl(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] === COLON ? bytes[i + 1] === SLASH : bytes[i] === PERCENT && bytes[i + 1] === THREE) return true;
  }
  return false;
}

/** Part of a request's target, a byte a character, without the credentials of URLs in it. */
export function veiledPath(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return latin1(text(bytes, start, end).replace(CREDENTIALS, `$1${HIDDEN}$2`));
}

/** A query, from its question mark on, without the values of parameters that are secrets by their name, either. */
export function veiledQuery(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return latin1(text(bytes, start, end).replace(CREDENTIALS, `$1${HIDDEN}$2`).replace(SECRET, `$1${HIDDEN}`));
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function latin1(characters: string): Uint8Array {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

import type { MessageDetails } from "./details.ts";
import type { ResponseDraft } from "./response-draft.ts";

interface Part {
  readonly startUs: number;
  endUs: number;
  readonly offset: number;
  flags: number;
  bytes: number;
  details: MessageDetails | null;
}

/** Responses that come in several messages, each of which says whose it is: what has come of them, by their request's entry. */
export class Parts {
  private readonly byEntry = new Map<number, Part>();

  /** A message of `bytes` is a part of the response to this request. */
  add(entry: number, { startUs, endUs, offset, flags, details }: ResponseDraft, bytes: number): void {
    const part = this.byEntry.get(entry);
    if (part === undefined) {
      this.byEntry.set(entry, { startUs, endUs, offset, flags, bytes, details });
      return;
    }
    part.endUs = Math.max(part.endUs, endUs);
    part.flags |= flags;
    part.bytes += bytes;
    part.details ??= details;
  }

  /** `response` is the last part: has it say where the first began. Returns the bytes of those before. */
  join(entry: number, response: ResponseDraft): number {
    const part = this.byEntry.get(entry);
    if (part === undefined) return 0;
    this.byEntry.delete(entry);
    response.startUs = part.startUs;
    response.endUs = Math.max(part.endUs, response.endUs);
    response.offset = part.offset;
    response.flags |= part.flags;
    response.details ??= part.details;
    return part.bytes;
  }

  /** Its request is given up. */
  forget(entry: number): void {
    this.byEntry.delete(entry);
  }
}

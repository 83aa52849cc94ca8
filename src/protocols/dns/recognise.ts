import { u16 } from "../../bytes/read.ts";
import { OTHER, Recognition } from "../protocol.ts";
import { HEADER_BYTES, Message } from "./message.ts";
import { commandOf } from "./tables.ts";

const QUERY = 0;
const [NOTIFY, UPDATE] = [4, 5];
/** A question asks for the internet's records, Chaos' (a server's version), or any; an update names one of these, too. */
const CLASSES: ReadonlySet<number> = new Set([1, 3, 254, 255]);
/** OPT and a signature at most. */
const MAX_ADDITIONAL = 2;

const message = new Message();

/** Can bytes[start, captured), of a message that ends at `end`, be a question? */
export function recogniseQuestion(bytes: Uint8Array, start: number, captured: number, end: number): Recognition {
  const verdict = recognise(bytes, start, captured, end, false);
  if (verdict !== Recognition.certain || message.opcode !== QUERY) return verdict;
  if (message.rcode !== 0 || message.answers > 0 || message.additional > MAX_ADDITIONAL) return Recognition.no;
  // Nothing but records may follow.
  const isWhole = message.additional + message.authorities > 0 || message.at === end;
  return isWhole ? Recognition.certain : Recognition.no;
}

export function recogniseAnswer(bytes: Uint8Array, start: number, captured: number, end: number): Recognition {
  return recognise(bytes, start, captured, end, true);
}

function recognise(bytes: Uint8Array, start: number, captured: number, end: number, isResponse: boolean): Recognition {
  if (end - start < HEADER_BYTES) return Recognition.no;
  if (captured - start < HEADER_BYTES) return Recognition.undecided;
  // Cheap first: most datagrams are something else.
  if (bytes[start + 2]! >= 0x80 !== isResponse || (bytes[start + 3]! & 0x40) !== 0) return Recognition.no;
  if (u16(bytes, start + 4) > 1 || !message.look(bytes, start, captured)) return Recognition.no;
  const { opcode, questions } = message;
  if (opcode !== QUERY && opcode !== NOTIFY && opcode !== UPDATE) return Recognition.no;
  // Of an error, a server may give back no question.
  if (questions === 0)
    return isResponse && message.rcode !== 0 && end - start <= 64 ? Recognition.possible : Recognition.no;
  if (message.isCut) return Recognition.possible;
  if (!CLASSES.has(message.class) || !message.fits(end)) return Recognition.no;
  return commandOf(opcode, message.type) === OTHER ? Recognition.possible : Recognition.certain;
}

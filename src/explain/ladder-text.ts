import { TcpFlag } from "../decode/segment.ts";
import { milliseconds } from "../outputs/plain-text.ts";
import type { Account } from "./account.ts";
import type { Oddity, ResentBy } from "./flow-watch.ts";
import { type Look, paint, wrap } from "./paint.ts";
import type { Part } from "./parts.ts";
import { type Elision, isElision, isSentAgain, type Rung } from "./steps.ts";

const TIME_WIDTH = 10;
const GAP_WIDTH = 10;
const ARROW_WIDTH = 18;
const BYTES_WIDTH = 8;
/** Time, gap, bytes and arrow, with two blanks after each of the last two. */
const NOTE_AT = TIME_WIDTH + GAP_WIDTH + BYTES_WIDTH + 2 + ARROW_WIDTH + 2;
/** A pause that is worth a look, when it is also a fifth of all. */
const PAUSE_US = 1_000;

/** The segments, a line each, with time, pause, size, direction and what each one is. */
export function ladderText(account: Account, look: Look): string {
  const { ladder } = account;
  if (ladder.steps.length === 0) return "No segment of this connection is in the file any more.";
  const head = `${"ms".padStart(TIME_WIDTH)}${"pause".padStart(GAP_WIDTH)}${"bytes".padStart(BYTES_WIDTH)}  client${"server".padStart(ARROW_WIDTH - 6)}`;
  const lines = ladder.steps.flatMap((step) =>
    isElision(step) ? [elisionLine(step)] : rungLines(step, account, look),
  );
  const { duplicates } = ladder;
  if (duplicates > 0)
    lines.push(`${duplicates} frame${duplicates === 1 ? " was" : "s were"} captured twice: each is shown once`);
  return [head, ...lines].join("\n");
}

function rungLines(rung: Rung, account: Account, look: Look): string[] {
  const whole = account.wholeUs;
  const time = milliseconds(rung.atUs).padStart(TIME_WIDTH);
  const gapText = (rung.gapUs === null ? "" : milliseconds(rung.gapUs)).padStart(GAP_WIDTH);
  const isPause = rung.gapUs !== null && rung.gapUs >= PAUSE_US && rung.gapUs * 5 >= whole && rung.atUs > 0;
  const bytes = (rung.bytes === 0 ? "" : String(rung.bytes)).padStart(BYTES_WIDTH);
  const [first = "", ...more] = wrap(rungText(rung), look.columns - NOTE_AT);
  const isAgain = isSentAgain(rung);
  const isOutside = rung.atUs < 0 || rung.atUs > whole;
  const colour = (text: string) => (isAgain ? paint(look, "red", text) : isOutside ? paint(look, "dim", text) : text);
  const gap = isPause ? paint(look, "yellow", gapText) : gapText;
  return [
    `${time}${gap}${bytes}  ${colour(arrow(rung.isFromClient, isAgain, look))}  ${colour(first)}`,
    ...more.map((line) => `${" ".repeat(NOTE_AT)}${colour(line)}`),
  ];
}

/** Sent again: a broken line. */
function arrow(isFromClient: boolean, isAgain: boolean, { isUnicode }: Look): string {
  const [line, right, left] = isUnicode ? [isAgain ? "╌" : "─", "▶", "◀"] : [isAgain ? "=" : "-", ">", "<"];
  const shaft = line!.repeat(ARROW_WIDTH - 1);
  return isFromClient ? `${shaft}${right}` : `${left}${shaft}`;
}

function elisionLine({ elided, fromClientBytes, fromServerBytes, retransmissions }: Elision): string {
  const again = retransmissions === 0 ? "" : `, ${retransmissions} of them sent again`;
  return `${"...".padStart(TIME_WIDTH)} ${elided} more segment${elided === 1 ? "" : "s"}: ${fromClientBytes} bytes to the server, ${fromServerBytes} to the client${again}`;
}

function rungText(rung: Rung): string {
  const words = [...flagWords(rung.flags), ...rung.parts.map((part) => partText(part, rung.isFromClient))];
  if (rung.acknowledges !== null && (rung.bytes === 0 || rung.acknowledges === "response")) {
    words.push(`ACK of the ${rung.acknowledges}`);
  } else if (words.length === 0) words.push("ACK");
  return [words.join(", "), ...rung.oddities.map(oddityText)].join("; ");
}

function flagWords(flags: number): string[] {
  const words: string[] = [];
  const isAck = (flags & TcpFlag.ack) !== 0;
  if ((flags & TcpFlag.syn) !== 0) words.push(isAck ? "SYN ACK" : "SYN");
  if ((flags & TcpFlag.fin) !== 0) words.push("FIN");
  if ((flags & TcpFlag.rst) !== 0) words.push("RST");
  return words;
}

function partText({ what, from, to, of }: Part, isFromClient: boolean): string {
  if (what === "earlier" || what === "later") {
    return `${what === "earlier" ? "an earlier" : "a later"} ${isFromClient ? "request" : "response"}`;
  }
  const isWhole = of === 0 || (from === 0 && to === of);
  return isWhole ? what : `${what}, bytes ${from + 1}-${to} of ${of}`;
}

const BY: Record<ResentBy, string> = {
  timeout: "time-out",
  fast: "duplicate ACKs asked for it",
  early: "before a time-out",
};

function oddityText(oddity: Oddity): string {
  switch (oddity.what) {
    case "retransmission": {
      const later = oddity.us === null ? "" : ` ${milliseconds(oddity.us)} ms after the first copy`;
      const why = oddity.isNeeded ? BY[oddity.by] : "needlessly: it had been acknowledged";
      return `SENT AGAIN${later} (${why})`;
    }
    case "retransmission_of_lost":
      return `SENT AGAIN ${milliseconds(oddity.us)} ms after those behind it (${BY[oddity.by]}); the first copy never came here`;
    case "retransmission_unseen":
      return "SENT AGAIN, by its time; the first copy never came here";
    case "out_of_order":
      return `out of order, ${milliseconds(oddity.us)} ms late`;
    case "hole":
      return `${oddity.bytes} bytes before it are missing`;
    case "duplicate_ack":
      return `duplicate ACK ${oddity.times}`;
    case "window_closed":
      return "WINDOW CLOSED";
    case "window_opened":
      return `window opened after ${milliseconds(oddity.us)} ms`;
    case "window_probe":
      return "probe of the closed window";
    case "keep_alive":
      return "keep-alive";
  }
}

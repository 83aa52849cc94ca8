import { milliseconds } from "../outputs/plain-text.ts";
import { commandName, idText } from "../transactions/names.ts";
import type { Account } from "./account.ts";
import { type Colour, type Look, paint } from "./paint.ts";
import type { Phase } from "./phases.ts";
import type { Span } from "./steps.ts";

const NAME_WIDTH = 18;
const MS_WIDTH = 11;
const PERCENT_WIDTH = 9;
const COLOURS: Record<Phase["name"], Colour> = {
  server: "blue",
  network: "yellow",
  retransmission: "red",
  queue: "magenta",
  send: "cyan",
  receive: "cyan",
  unknown: "dim",
};

interface Row {
  readonly name: string;
  /** What it took of the latency, or null where it is not a part of it. */
  readonly us: number;
  readonly isShare: boolean;
  readonly spans: readonly Span[];
  readonly colour: Colour;
}

/** A bar for each phase on one axis, from the request's first byte to the response's last; "" where there is no time. */
export function barsText(account: Account, look: Look): string {
  const whole = account.wholeUs;
  if (!(whole > 0)) return "";
  const width = look.columns - NAME_WIDTH - MS_WIDTH - PERCENT_WIDTH - 1;
  const rows = rowsOf(account);
  const lines = rows.map(({ name, us, isShare, spans, colour }) => {
    const share = isShare ? `${((100 * us) / whole).toFixed(1)} %`.padStart(PERCENT_WIDTH) : " ".repeat(PERCENT_WIDTH);
    const bar = barOf(spans, whole, width, look, isShare);
    return `${name.padEnd(NAME_WIDTH)}${milliseconds(us).padStart(MS_WIDTH)}${share} ${paint(look, colour, bar)}`.trimEnd();
  });
  return [axisOf(whole, width), ...lines].join("\n");
}

function rowsOf({ request, behind, phases, ladder, wholeUs: whole }: Account): Row[] {
  const rows: Row[] = phases.map(({ name, us, spans }) => ({
    name:
      name === "server" && request.toServerUs < 0 ? "server or network" : name === "network" ? "network (rtt)" : name,
    us,
    isShare: true,
    spans,
    colour: COLOURS[name],
  }));
  if (request.unanswered !== "") {
    rows.push({ name: "no response", us: whole, isShare: true, spans: [{ fromUs: 0, toUs: whole }], colour: "red" });
  }
  if (behind !== null && behind.unanswered === "") {
    const fromUs = behind.startUs - request.startUs;
    const spans = [{ fromUs: Math.max(0, fromUs), toUs: Math.min(whole, fromUs + behind.latencyUs) }];
    rows.push(
      note(
        `| ${idText(behind)} ${commandName(behind.protocol, behind.commandId)}`.slice(0, NAME_WIDTH),
        behind.latencyUs,
        spans,
      ),
    );
  }
  const { closed } = ladder;
  if (closed.us > 0) rows.push(note("| window closed", closed.us, closed.spans));
  return rows;
}

/** Something that went on at the same time: no part of the sum. */
function note(name: string, us: number, spans: readonly Span[]): Row {
  return { name, us, isShare: false, spans, colour: "dim" };
}

/** Cells that a span touches by half or more are full; what is shorter than that is a stroke, so that nothing is unseen. */
function barOf(spans: readonly Span[], whole: number, width: number, look: Look, isShare: boolean): string {
  const [full, thin] = look.isUnicode ? [isShare ? "█" : "░", "▏"] : [isShare ? "#" : "=", "|"];
  const cells = new Array<string>(width).fill(" ");
  for (const { fromUs, toUs } of spans) {
    if (toUs <= fromUs) continue;
    const from = Math.min(width - 1, Math.round((fromUs / whole) * width));
    const to = Math.min(width, Math.round((toUs / whole) * width));
    if (to <= from) cells[from] = thin!;
    else cells.fill(full!, from, to);
  }
  return cells.join("").trimEnd();
}

/** The axis: where it begins, its middle, and its end. */
function axisOf(whole: number, width: number): string {
  const middle = milliseconds(whole / 2);
  const end = milliseconds(whole);
  const half = Math.floor(width / 2) - Math.floor(middle.length / 2);
  const left = `0${middle.padStart(half + middle.length - 1)}`;
  const head = "phase".padEnd(NAME_WIDTH) + "ms".padStart(MS_WIDTH) + "share".padStart(PERCENT_WIDTH);
  return `${head} ${left}${end.padStart(width - left.length)}`;
}

import { sum, totals } from "../aggregate/counters.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { FLAG_NAMES } from "../transactions/transaction.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { DOUBTS, LOSSES, type Loss } from "./loss-words.ts";
import { count } from "./numbers.ts";
import type { ReportView } from "./view.ts";

/** A loss or doubt that occurred. */
interface Occurred extends Loss {
  readonly count: number;
}

/** Those that make the latencies of the whole run doubtful. */
export function graveLosses(view: ReportView): Occurred[] {
  return occurrences(view).filter((loss) => loss.isGrave && loss.count > 0);
}

/** The section "Losses and doubts": what was lost, where, and what it means for the numbers above. */
export function lossesSection(view: ReportView): Markup {
  const all = occurrences(view);
  const occurred = all.filter((loss) => loss.count > 0);
  const absent = all.filter((loss) => loss.count === 0).map((loss) => loss.name);
  const clock = view.hasGoodClock
    ? NOTHING
    : html`<p class="trust warn">Times were taken when the frames arrived in tcplat, not by the kernel: short latencies are wrong.</p>`;
  return html`<section id="losses"><h2>Losses and doubts</h2>
${clock}${occurred.length === 0 ? html`<p>Nothing was lost, and nothing is doubtful.</p>` : lossTable(occurred)}
${absent.length === 0 ? NOTHING : html`<p class="quiet">Counted as well, and none: ${absent.join(", ")}.</p>`}
<h3>The accounts</h3>
<pre>${accounts(view.snapshot)}</pre>
</section>`;
}

function lossTable(losses: readonly Occurred[]): Markup {
  const groups = [...new Set(losses.map((loss) => loss.group))].map((group) => {
    const rows = losses.filter((loss) => loss.group === group).map(lossRow);
    return html`<tbody><tr class="group"><th scope="colgroup" colspan="4">${group}</th></tr>
${joined(rows)}</tbody>
`;
  });
  return html`<table class="losses"><thead><tr><th class="number">count</th><th>what</th><th>what it means</th><th>what to do</th></tr></thead>
${joined(groups)}</table>
`;
}

function lossRow({ count: times, name, meaning, advice, isGrave }: Occurred): Markup {
  return html`<tr${isGrave ? html` class="grave"` : NOTHING}><td class="number">${count(times)}</td><th scope="row">${name}</th><td>${meaning}</td><td>${advice}</td></tr>
`;
}

function occurrences({ snapshot, collected }: ReportView): Occurred[] {
  const doubts = FLAG_NAMES.flatMap((name, bit) => {
    const doubt = DOUBTS[name];
    if (doubt === null) return [];
    const times = collected.byFlags.reduce((all, of, flags) => ((flags & (1 << bit)) === 0 ? all : all + of), 0);
    return [{ ...doubt, name, group: "Doubts: transactions with the flag", isGrave: false, count: times }];
  });
  return [...LOSSES.map((loss) => ({ ...loss, count: loss.count(snapshot) })), ...doubts];
}

/** The three sums (README, The JSON record): they hold, or tcplat is wrong. */
function accounts(snapshot: Snapshot): Markup {
  const { capture } = snapshot.stages;
  const all = totals(snapshot);
  return html`frames    ${count(capture.frames)} = ${count(capture.decoded)} decoded + ${count(sum(capture.skipped))} skipped
requests  ${count(snapshot.requests)} = ${count(all.answered)} answered + ${count(all.noReply)} no reply + ${count(all.pending)} pending + ${count(all.unanswered)} unanswered
responses ${count(snapshot.responses)} = ${count(all.answered)} matched + ${count(all.unmatched)} unmatched + ${count(all.pushes)} pushes`;
}

import { LARGE_BYTES } from "../outputs/line-shares.ts";
import { milliseconds } from "../outputs/plain-text.ts";
import { Resend } from "../transactions/resend.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { type Clock, megabytes } from "./numbers.ts";
import { phaseBar, phaseLegend, phaseText } from "./phases.ts";
import type { SlowRequest } from "./slowest.ts";

/** The slowest requests: when, who, what, how long, of what that consists, and why. */
export function slowestSection(slowest: readonly SlowRequest[], clock: Clock): Markup {
  if (slowest.length === 0) return NOTHING;
  const longestUs = slowest[0]!.latencyUs;
  const rows = slowest.map((request) => {
    return html`<tr>${latencyCell(html`<b>${milliseconds(request.latencyUs)}</b> ms`)}<td class="split">${phaseBar(request, longestUs)}<span>${phaseText(request)}</span></td>${cells(request, clock)}</tr>
`;
  });
  return html`<section id="slowest"><h2>The ${slowest.length === 1 ? "slowest" : `${slowest.length} slowest`}</h2>
<p class="quiet">Of class normal; the bar is as long as the latency is, compared with the slowest.</p>
${phaseLegend(slowest)}
<table class="slow"><thead><tr><th class="number">latency</th><th>of that</th><th>request</th><th>cause, remarks</th><th>from, to</th><th>ended</th></tr></thead>
<tbody>${joined(rows)}</tbody></table></section>
`;
}

/** Requests that never got a response, those that waited longest first. */
export function unansweredSection(unanswered: readonly SlowRequest[], clock: Clock): Markup {
  if (unanswered.length === 0) return NOTHING;
  const rows = unanswered.map((request) => {
    return html`<tr>${latencyCell(html`<b>${milliseconds(request.latencyUs)}</b> ms`)}${cells(request, clock)}</tr>
`;
  });
  return html`<section id="unanswered"><h2>Without an answer</h2>
<p class="quiet">Those that waited longest, and why they were given up.</p>
<table class="slow"><thead><tr><th class="number">waited</th><th>request</th><th>remarks</th><th>from, to</th><th>given up</th></tr></thead>
<tbody>${joined(rows)}</tbody></table></section>
`;
}

function latencyCell(text: Markup): Markup {
  return html`<td class="number latency">${text}</td>`;
}

function cells(request: SlowRequest, clock: Clock): Markup {
  const { protocol, text, client, server, id, endUs } = request;
  return html`<td class="request"><code>${text}</code></td><td class="why">${why(request)}</td><td class="who">${client} → <br/>${server} ${protocol}</td><td class="when">${clock.full(endUs)} <br/>${id}</td>`;
}

/** The cause, where it was measured, and what else was seen. */
function why({ verdict, status, flags, retransmissions, requestBytes, responseBytes }: SlowRequest): Markup {
  const remarks = status === "ok" ? [] : [status];
  if (requestBytes >= LARGE_BYTES) remarks.push(`${megabytes(requestBytes)} up`);
  if (responseBytes >= LARGE_BYTES) remarks.push(`${megabytes(responseBytes)} down`);
  if (verdict?.behind) {
    const { command, id, us, elsewhere } = verdict.behind;
    remarks.push(`behind ${command} (${id}${elsewhere ? ", another connection" : ""}) for ${milliseconds(us)} ms`);
  }
  if (verdict !== null && verdict.rttUs !== null) remarks.push(`round trip ${milliseconds(verdict.rttUs)} ms`);
  if (verdict !== null && verdict.zeroWindowUs > 0)
    remarks.push(`window closed for ${milliseconds(verdict.zeroWindowUs)} ms`);
  if (retransmissions > 0) {
    const more = retransmissions === Resend.count ? " or more" : "";
    remarks.push(`${retransmissions}${more} retransmission${retransmissions === 1 ? "" : "s"}`);
  }
  const known = retransmissions > 0 ? ["retransmission"] : [];
  remarks.push(...flags.filter((flag) => !known.includes(flag)).map((flag) => flag.replaceAll("_", " ")));
  const cause =
    verdict === null
      ? NOTHING
      : html`<b class="cause">${verdict.cause} ${milliseconds(verdict.causeUs)} ms</b>${remarks.length > 0 ? html`<br/>` : NOTHING}`;
  return html`${cause}${remarks.join("; ")}`;
}

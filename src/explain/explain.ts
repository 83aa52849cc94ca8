import type { Logger } from "pino";
import type { RequestId } from "../options/explain.ts";
import type { Options } from "../options.ts";
import { print } from "../outputs/print.ts";
import { endOnSignal } from "../run/end-on-signal.ts";
import { settleForFrames } from "../v8.ts";
import { type Account, accountOf } from "./account.ts";
import { adviceOf } from "./advice.ts";
import { barsText } from "./bars.ts";
import { find, type Ranking } from "./find.ts";
import { headlineText } from "./headline.ts";
import { explanationRecord } from "./json.ts";
import { climb } from "./ladder.ts";
import { ladderText } from "./ladder-text.ts";
import { type Look, lookOf, wrap } from "./paint.ts";
import { rankingText } from "./ranking-text.ts";

/** `tcplat explain -r FILE [ID]`: prints where that request's time went, or the slowest one's. Returns the exit status; throws TcplatError. */
export async function explain(id: RequestId | null, options: Options, log: Logger): Promise<number> {
  settleForFrames();
  const { request, ranking, warning, failure } = await find(options, id);
  const behind = request.behind === null ? null : (await find(options, request.behind)).request;
  const ladder = await climb(options, request, behind);
  const account = accountOf(request, behind, ladder);
  endOnSignal();
  await print([
    options.json
      ? explanationRecord(account, ranking)
      : explanationText(account, ranking, lookOf(process.stdout, process.env)),
  ]);
  // The second reading goes beyond the response, and may see more of the file's fault.
  const warnings = new Set([warning, ladder.warning]);
  for (const each of warnings) if (each !== null) log.warn(each);
  if (failure !== null) throw failure;
  return 0;
}

/** The account for people. */
function explanationText(account: Account, ranking: Ranking | null, look: Look): string {
  const parts = [
    headlineText(account, look),
    barsText(account, look),
    ladderText(account, look),
    wrap(adviceOf(account), look.columns).join("\n"),
    ranking === null ? "" : rankingText(ranking, look),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

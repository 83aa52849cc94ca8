import { realpathSync } from "node:fs";

/** Where the system keeps its zones (`tzset(3)`): a path into it names one as its last parts do. */
const ZONE_FOLDER = /^(?:.*\/zoneinfo\/)?(?:posix\/)?/;

/** POSIX's way to say a zone without summer time, `JST-9` or `<+03>-3`: the hours are those behind UTC. */
const FIXED_ZONE = /^(?:[A-Za-z]{3,}|<[\w+-]+>)([+-]?\d{1,2})$/;

/**
 * Makes local time what `TZ` asks for where Node takes it for something else, and returns what is to be said where it cannot: it
 * knows the names of zones, and not all that `tzset(3)` allows, and shows UTC for the rest. Null where all is well.
 */
export function settleTimeZone(env: { TZ?: string | undefined }): string | null {
  const wanted = env.TZ ?? "";
  if (wanted === "") return null;
  const name = pathOf(wanted.replace(/^:/, "")).replace(ZONE_FOLDER, "");
  const [, hours] = FIXED_ZONE.exec(name) ?? [];
  const known = isZone(name) ? name : hours === undefined ? "" : fixedZone(Number(hours));
  if (known === "" || !isZone(known)) {
    return `TZ=${wanted} is no time zone that Node knows, so times may be shown in UTC: name one as in TZ=Europe/Berlin`;
  }
  if (known !== wanted) env.TZ = known;
  return null;
}

/** `/etc/localtime` is a link to the zone's file. */
function pathOf(text: string): string {
  if (!text.startsWith("/")) return text;
  try {
    return realpathSync(text);
  } catch {
    return text;
  }
}

/** In the names of `Etc/` the sign is POSIX's, too. */
function fixedZone(hours: number): string {
  return hours === 0 ? "UTC" : `Etc/GMT${hours > 0 ? "+" : ""}${hours}`;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

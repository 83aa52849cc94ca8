import type { Options } from "../options.ts";
import { DetailedFormat } from "./detailed.ts";
import { JsonFormat } from "./json.ts";
import { LineFormat } from "./line.ts";
import type { RecordFormat } from "./record-output.ts";

/** How transactions are printed, as the options say. */
export function recordFormat(
  options: Pick<Options, "json" | "thresholdUs" | "details">,
  isColoured: boolean,
): RecordFormat {
  const format = options.json
    ? new JsonFormat()
    : new LineFormat({ isColoured, explains: options.thresholdUs !== null });
  return options.details ? new DetailedFormat(format, options.json) : format;
}

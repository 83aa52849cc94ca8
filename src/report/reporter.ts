import type { Snapshot } from "../aggregate/snapshot.ts";
import { ReportCollector } from "./collector.ts";
import { reportPage } from "./page.ts";
import { ReportFile } from "./report-file.ts";
import type { ReportView } from "./view.ts";

/** What a page says of the run itself. */
export type AboutRun = Pick<ReportView, "isLive" | "hasGoodClock" | "filter" | "version">;

/** `--report`: collects while a run lasts, and writes the page. */
export class Reporter {
  /** Takes every finished transaction of the run. */
  readonly collector: ReportCollector;
  readonly #file: ReportFile;
  readonly #about: AboutRun;

  /** `source`: the file that is read, or null. Throws TcplatError "file" where the page cannot be written. */
  constructor(file: string, source: string | null, about: AboutRun) {
    this.#file = new ReportFile(file, source);
    this.#about = about;
    this.collector = new ReportCollector();
  }

  /** Writes the page as things stand, and returns what to tell the user. Throws TcplatError "running". */
  write(snapshot: Snapshot): string {
    this.#file.write(reportPage({ snapshot, collected: this.collector.collected, ...this.#about }));
    return `the report is in ${this.#file.name}`;
  }
}

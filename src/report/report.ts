import type { Finding } from "../source/finding.ts";

/** What a format lays out. */
export interface Report {
  /** In the order in which they are to be shown: see `orderFindings`. */
  readonly findings: readonly Finding[];
  /** The files that were looked at, as the user named them; also those without a finding. */
  readonly files: readonly string[];
  /** The version of ctc, for formats that name the tool. */
  readonly version: string;
}

/** Text that is complete, with a final line ending; empty where there is nothing to say. */
export type Format = (report: Report) => string;

import { formatConcise } from "./concise.ts";
import { formatGithub } from "./github.ts";
import { formatGitlab } from "./gitlab.ts";
import { formatJson } from "./json.ts";
import { formatJunit } from "./junit.ts";
import { formatPretty } from "./pretty.ts";
import type { Format } from "./report.ts";
import { formatSarif } from "./sarif.ts";

/** Every way to lay out a report, by the name that `--format` takes. */
export const FORMATS = {
  pretty: formatPretty,
  concise: formatConcise,
  json: formatJson,
  sarif: formatSarif,
  github: formatGithub,
  gitlab: formatGitlab,
  junit: formatJunit,
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

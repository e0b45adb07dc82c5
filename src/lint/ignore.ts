import { quoted } from "../language/checks.ts";
import { suggest } from "../language/suggest.ts";
import type { Finding, Fix } from "../source/finding.ts";
import { positionOf, type Source, type Span } from "../source/source.ts";
import { CHECK_NAMES, IGNORABLE } from "./check-names.ts";
import { type Ignore, ignoresOf } from "./ignore-comments.ts";

/**
 * Takes away the warnings that the policy says to ignore, with a reason, and reports ignores that do not work: of a check
 * that is not there, of an error, without a reason, or without a finding to ignore.
 */
export function heedIgnores(source: Source, findings: readonly Finding[]): readonly Finding[] {
  const ignores = ignoresOf(source);
  if (ignores.length === 0) return findings;
  const used = new Set<Ignore>();
  const faults = new Map(
    ignores.flatMap((ignore) => {
      const fault = faultOf(ignore);
      return fault ? [[ignore, fault] as const] : [];
    }),
  );
  const left = findings.filter((finding) => {
    if (finding.level === "error" || finding.span.source !== source) return true;
    const { line } = positionOf(source, finding.span.start);
    const speaking = ignores.filter((ignore) => ignore.name === finding.check && ignore.line === line);
    for (const ignore of speaking) used.add(ignore);
    return speaking.every((ignore) => faults.has(ignore));
  });
  // Where something could not be read, nobody knows what would have been found.
  const isWhole = !findings.some(({ level }) => level === "error");
  const idle = isWhole ? ignores.filter((ignore) => !used.has(ignore) && !faults.has(ignore)) : [];
  return [...left, ...faults.values(), ...idle.map(unusedIgnore)];
}

function faultOf({ name, reason, span, nameSpan }: Ignore): Finding | null {
  const fault = (message: string, where: Span, help: string, fix?: Fix): Finding => ({
    check: "bad-ignore",
    level: "error",
    message,
    span: where,
    help,
    ...(fix && { fix }),
  });
  if (name === "") return fault("this ignore names no check", span, "write `# ctc-ignore NAME: reason`");
  const warning = IGNORABLE.includes(name);
  if (!warning && CHECK_NAMES.includes(name))
    return fault(`\`${name}\` is an error, and errors cannot be ignored`, nameSpan, "mend what it reports");
  if (!warning) {
    const near = suggest(name, IGNORABLE);
    return fault(
      `no warning is called ${quoted(name)}`,
      nameSpan,
      near ? `did you mean \`${near}\`?` : "write the name that stands in the brackets of the warning",
      near ? { title: `write \`${near}\``, edits: [{ span: nameSpan, text: near }], safe: true } : undefined,
    );
  }
  if (reason === "")
    return fault("this ignore gives no reason", span, `say why: \`# ctc-ignore ${name}: reason\``);
  return null;
}

function unusedIgnore({ name, span }: Ignore): Finding {
  return {
    check: "unused-ignore",
    level: "warning",
    message: `nothing here is a \`${name}\``,
    span,
    help: "take the comment out",
    fix: { title: "take the comment out", edits: [{ span: withItsLine(span), text: "" }], safe: true },
  };
}

/** A comment with the blanks before it and, where it has a line to itself, with that line. */
function withItsLine({ source, start, end }: Span): Span {
  const { text } = source;
  let from = start;
  while (from > 0 && (text[from - 1] === " " || text[from - 1] === "\t")) from--;
  const isFirst = from === 0 || text[from - 1] === "\n" || text[from - 1] === "\r";
  const ending = /^[ \t]*(\r\n|\n|\r|$)/.exec(text.slice(end));
  // Something may stand behind it: another ignore.
  if (!ending) return isFirst ? { source, start, end } : { source, start: from, end };
  return isFirst ? { source, start: from, end: end + ending[0].length } : { source, start: from, end };
}

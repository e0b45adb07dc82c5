import type { Report } from "../../src/report/report.ts";
import type { Finding } from "../../src/source/finding.ts";
import type { Source, Span } from "../../src/source/source.ts";

/** The words `text` where they stand for the `nth` time (from 1) in a source. */
export function words(source: Source, text: string, nth = 1): Span {
  let start = -1;
  for (let i = 0; i < nth; i++) {
    start = source.text.indexOf(text, start + 1);
    if (start < 0) throw new Error(`the sample does not hold ${JSON.stringify(text)} ${nth} times`);
  }
  return { source, start, end: start + text.length };
}

/** A finding of which only some parts matter. */
export function finding(span: Span, parts: Partial<Finding> = {}): Finding {
  return { check: "sample", level: "error", message: "something is wrong", span, ...parts };
}

const policy: Source = {
  name: "./site/policy.yaml",
  text: `version: 1

addresses:
  clients: [10.1.0.0/16, "2001:db8:1::/48"]
  blocklist: { file: blocklist.txt }

policies:
  - name: memcached
    doNotTrack: true
    rules:
      - allow tcp from clients to self port 11211
      - allow tcp from clinets to self port 22
      - reject udp from any to self
`,
};

const blocklist: Source = { name: "site/blocklist.txt", text: "198.51.100.0/24\n198.51.100.7\n" };

const rule = words(policy, "reject udp from any to self");

/** What a usual run finds: two errors and a warning, with all that a finding may have. */
export const usual: Report = {
  version: "1.2.3",
  files: [policy.name, "site/clean.yaml"],
  findings: [
    finding(words(policy, "clinets"), {
      check: "unknown-name",
      message: "there is no address named `clinets`",
      label: "not declared under `addresses`",
      related: [{ span: words(policy, "clients"), text: "a name like it" }],
      help: "did you mean `clients`?",
      fix: {
        title: "write `clients`",
        safe: true,
        edits: [{ span: words(policy, "clinets"), text: "clients" }],
      },
    }),
    finding(words(policy, "reject"), {
      check: "untracked-reject",
      message: "a `doNotTrack` policy cannot reject",
      label: "only `allow` and `deny` are possible here",
      related: [{ span: words(policy, "doNotTrack: true"), text: "because of this" }],
      notes: [
        "The kernel judges untracked packets in its raw table,\nwhich can drop a packet but not answer it.",
      ],
      fix: {
        title: "move the rule to a policy of its own",
        safe: false,
        edits: [
          { span: { source: policy, start: rule.start - 8, end: rule.end + 1 }, text: "" },
          {
            span: { source: policy, start: policy.text.length, end: policy.text.length },
            text: "  - name: rejected\n    rules:\n      - reject udp from any to self\n",
          },
        ],
      },
    }),
    finding(words(blocklist, "198.51.100.7"), {
      check: "redundant-address",
      level: "warning",
      message: "`198.51.100.7` is in the list already",
      related: [{ span: words(blocklist, "198.51.100.0/24"), text: "here" }],
    }),
  ],
};

/** A run without findings. */
export const empty: Report = { version: "1.2.3", files: ["policy.yaml", "other.yaml"], findings: [] };

const trap: Source = {
  name: 'evil\u001b]0;owned\u0007,file=x::"<&>\n::error::name.yaml',
  text: `a: "\u001b[2J\u009b31m <script>&'"]]> %0A::error::injected \u202edesrever\u202c \u0000 \ud800"\r\n`,
};

/** A policy that attacks whoever reads its report. */
export const hostile: Report = {
  version: "1.2.3",
  files: [trap.name],
  findings: [
    finding(
      words(
        trap,
        "\u001b[2J\u009b31m <script>&'\"]]> %0A::error::injected \u202edesrever\u202c \u0000 \ud800",
      ),
      {
        message: "`\u001b[2J` is no name\n::error::injected%0A <b>]]>\u2028\u0085",
        label: "\u202elabel\u0007",
        related: [{ span: words(trap, "a"), text: "rel\u009bated\r\n::warning::x" }],
        notes: ["note\u001b[31m\n::error::second line\u0008\u200b"],
        help: "help \u2066isolate\u2069 \udfff",
        fix: {
          title: "title\u001b",
          safe: true,
          edits: [{ span: words(trap, "%0A"), text: "\u001b[0m\u202e" }],
        },
      },
    ),
  ],
};

import type { Page } from "./page.ts";

/** Checks of the comments that ignore other checks. */
export const ignorePages: readonly Page[] = [
  {
    name: "bad-ignore",
    finds: "A `# ctc-ignore` that names no warning, or an error, or gives no reason.",
    matters:
      "A comment with a slip in it would ignore nothing and look as if it did. Errors cannot be ignored: ctc emits nothing that is not proved. And a reason is what the next reader needs.",
    example: `version: 1
policies:
  - name: servers
    rules:
      - allow tcp from any to self port 22, 443
      - allow tcp from 10.0.0.0/8 to self port 443 # ctc-ignore redundant-rule
`,
    beside: ["redundant-rule"],
    instead:
      "Write the name that stands in the brackets of the warning, a colon and a reason, on the line of the warning or on a line of its own above it. An ignore without a reason does not work, so its warning is told as well.",
    correct: [["redundant-rule\n", "redundant-rule: the auditors want to see it\n"]],
  },
  {
    name: "unused-ignore",
    finds: "A `# ctc-ignore` of a warning that is not there.",
    matters: "It would hide the warning the day it comes back.",
    example: `version: 1
policies:
  - name: servers
    rules:
      - allow tcp from any to self port 22 # ctc-ignore redundant-rule: for the auditors
`,
    instead: "Take the comment out. `ctc lint --fix` does.",
    correct: [[" # ctc-ignore redundant-rule: for the auditors", ""]],
  },
];

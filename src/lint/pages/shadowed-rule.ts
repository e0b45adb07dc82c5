import type { Page } from "./page.ts";

export const shadowedRule: Page = {
  name: "shadowed-rule",
  finds:
    "A rule that never has a say, because earlier rules decide all of its packets, at least some of them in another way. The rules that take most of its packets are shown, and in any case the one that takes most with another verdict.",
  matters:
    "The first match wins, so the rule does not do what it says. An exception that stands below the rule that it is an exception to is the usual cause, and nobody notices until the exception is needed.",
  example: `version: 1
policies:
  - name: servers
    rules:
      - deny from 10.0.0.0/8 to any
      - allow tcp from 10.1.2.3 to self port 443
      - allow tcp from 192.0.2.0/24 to self port 22
`,
  instead: "Move the exception above the rule, or take it out.",
  correct: [
    [
      "      - deny from 10.0.0.0/8 to any\n      - allow tcp from 10.1.2.3 to self port 443\n",
      "      - allow tcp from 10.1.2.3 to self port 443\n      - deny from 10.0.0.0/8 to any\n",
    ],
  ],
};

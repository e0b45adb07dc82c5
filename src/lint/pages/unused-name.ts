import type { Page } from "./page.ts";

export const unusedName: Page = {
  name: "unused-name",
  finds:
    "A declared interface, address list or service that no rule and no NAT sentence comes to, directly or through another name.",
  matters:
    "It is a leftover, or some rule says less than its author thinks: a blocklist that no rule mentions blocks nothing.",
  example: `version: 1
addresses:
  blocklist: [198.51.100.0/24, 203.0.113.7]
policies:
  - name: web
    rules:
      - allow tcp from any to self port 22, 443
`,
  instead: "Use the name, or take its declaration out.",
  correct: [["      - allow tcp", "      - deny from blocklist to any\n      - allow tcp"]],
};

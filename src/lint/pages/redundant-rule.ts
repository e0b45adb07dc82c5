import type { Page } from "./page.ts";

export const redundantRule: Page = {
  name: "redundant-rule",
  finds:
    "A rule that could be taken out without any packet being treated otherwise: earlier rules do the same, or later ones and the defaults would. A rule that logs or has a limit has an effect of its own, and is left alone.",
  matters:
    "A reader takes it that each rule is there for a reason. When the other rule is changed one day, this one quietly keeps its packets as they were.",
  example: `version: 1
policies:
  - name: web
    rules:
      - allow tcp from any to self port 80, 443
      - allow tcp from 10.0.0.0/8 to self port 443
      - allow tcp from 192.0.2.0/24 to self port 22
`,
  instead: "Take it out.",
  correct: [["      - allow tcp from 10.0.0.0/8 to self port 443\n", ""]],
};

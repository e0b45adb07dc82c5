import type { Page } from "./page.ts";

export const unmatchableRule: Page = {
  name: "unmatchable-rule",
  finds: "A rule or NAT sentence whose conditions no packet can meet together.",
  matters:
    "It does nothing, whatever it was written for. What it should deny passes; what it should allow does not.",
  example: `version: 1
policies:
  - name: one
    rules:
      # What this host sends arrives on no interface.
      - allow udp from self to any port 53 in eth0
      - allow tcp from 192.0.2.0/24 to self port 22
defaults: { output: deny }
`,
  instead: "Write the interface by which such packets leave, with `out`, or leave it out.",
  correct: [["port 53 in eth0", "port 53 out eth0"]],
};

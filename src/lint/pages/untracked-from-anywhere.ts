import type { Page } from "./page.ts";

export const untrackedFromAnywhere: Page = {
  name: "untracked-from-anywhere",
  finds: "An untracked rule by which everybody may reach every port of this host.",
  matters:
    "It is judged packet by packet. It lets in answers to questions that nobody asked, scans of every port, and packets with forged sources, all of which a tracked rule would tell from a flow.",
  example: `version: 1
defaults: { output: deny }
policies:
  - name: everything
    doNotTrack: true
    symmetricAllow: both
    rules:
      - allow udp from any to self
  - name: administration
    rules:
      - allow tcp from 192.0.2.0/24 to self port 22
`,
  instead: "Name the ports of the service, or the addresses of those who may use it.",
  correct: [["allow udp from any to self", "allow udp from any to self port 53"]],
};

import type { Page } from "./page.ts";

export const halfTrackedFlow: Page = {
  name: "half-tracked-flow",
  finds:
    "A flow that connection tracking sees in one direction only: an untracked packet whose reply is tracked, or a tracked one whose reply is left untracked. An essential loopback is left out: everything passes there, whatever its state.",
  matters:
    "Where only requests are untracked, tracking sees a SYN-ACK for a connection that it never saw open, and calls it INVALID; what it takes in later stays [UNREPLIED], an entry for every flow that untracking was meant to spare. Where only replies are untracked, every packet after the SYN is INVALID. A forwarder that does this times connections out; a server that does it fills its table at full speed and looks healthy until the table is full.",
  example: `version: 1
policies:
  - name: dns
    doNotTrack: true
    rules:
      - allow udp from any to self port 53
  - name: administration
    rules:
      - allow tcp from 192.0.2.0/24 to self port 22
`,
  instead:
    "Leave both directions untracked, or none. The default `output: allow` lets the answers of this server out, but tracks them; `symmetricAllow: true` leaves them untracked as well.",
  correct: [["    doNotTrack: true\n", "    doNotTrack: true\n    symmetricAllow: true\n"]],
};

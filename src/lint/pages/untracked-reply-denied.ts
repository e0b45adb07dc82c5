import type { Page } from "./page.ts";

export const untrackedReplyDenied: Page = {
  name: "untracked-reply-denied",
  finds:
    "A packet that a `doNotTrack` policy allows, whose reply is not allowed. It looks at *all* such packets, so a way back for a narrower prefix, fewer ports or another interface, or one that an earlier deny takes, is found as well as none at all.",
  matters:
    "Nothing remembers an untracked packet. Its reply is judged by the rules like any other packet, and where they deny it, requests arrive and answers do not: connections sit in SYN_RECV until they time out, and a ruleset that allows the service by its port looks right.",
  example: `version: 1
addresses:
  clients: [10.1.0.0/16, "2001:db8:1::/48"]
  office: 10.1.0.0/17
defaults: { input: deny, forward: deny, output: deny }
policies:
  - name: memcached
    doNotTrack: true
    rules:
      - allow tcp from clients to self port 11211
      # The way back, but not for all who may ask.
      - allow tcp from self port 11211 to office replies
  - name: administration
    rules:
      - allow tcp from office to self port 22
`,
  instead:
    "Let `symmetricAllow: true` write the way back: it swaps addresses, ports and interfaces of each allow, and keeps it to replies.",
  correct: [
    ["    doNotTrack: true\n", "    doNotTrack: true\n    symmetricAllow: true\n"],
    [
      "      # The way back, but not for all who may ask.\n      - allow tcp from self port 11211 to office replies\n",
      "",
    ],
  ],
};

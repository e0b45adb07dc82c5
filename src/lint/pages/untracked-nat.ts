import type { Page } from "./page.ts";

export const untrackedNat: Page = {
  name: "untracked-nat",
  finds: "An untracked packet that a NAT sentence matches.",
  matters:
    "The kernel translates flows, and an untracked packet belongs to none: NAT passes it over in silence. Masquerade sends private addresses out to the internet, where no answer finds its way back; a dnat delivers to this host itself what was meant for the server behind it. No counter and no log tells of it.",
  example: `version: 1
interfaces: { wan: eth0, lan: eth1 }
policies:
  - name: video calls
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow udp from 10.0.0.0/8 to any port 3478 in lan out wan
  - name: administration
    rules:
      - allow tcp from 10.0.0.0/8 to self port 22 in lan
nat:
  - masquerade from 10.0.0.0/8 out wan
`,
  instead:
    "Track what must be translated: NAT cannot do without the table. What need not be translated, exclude from the sentence, with `to not …` for example.",
  correct: [["    doNotTrack: true\n    symmetricAllow: true\n", ""]],
};

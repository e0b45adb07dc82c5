import type { Page } from "./page.ts";

export const untrackedNatReply: Page = {
  name: "untracked-nat-reply",
  finds:
    "A translated flow whose answers look like untracked traffic: source NAT may draw a port that an untracked rule takes, or the server behind a dnat answers from an untracked port.",
  matters:
    "The answer to a masqueraded flow comes back to this host's own address and the port that was drawn. If raw leaves such packets untracked, nothing translates them back. As the port is drawn at random, the flow breaks now and then, once in 64,512 times for a single port, and nobody can reproduce it. VXLAN's port 4789 inside the range of masquerade did this to Kubernetes clusters.\n\nWithout `host.addresses` the proof takes it that masquerade's own address is none of those that the sentence hides.",
  example: `version: 1
interfaces: { wan: eth0, pods: docker0 }
host: { addresses: [192.0.2.1] }
defaults: { output: deny }
policies:
  - name: overlay
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow udp from 192.0.2.0/24 to self port 4789
  - name: pods
    rules:
      - allow udp from 172.17.0.0/16 to any in pods out wan
      - allow tcp from 192.0.2.0/24 to self port 22
nat:
  - masquerade from 172.17.0.0/16 out wan
`,
  instead: "Narrow the ports that NAT may draw to a range without the untracked port.",
  correct: [
    ["masquerade from 172.17.0.0/16 out wan", "masquerade from 172.17.0.0/16 out wan -> ports 4790-65535"],
  ],
};

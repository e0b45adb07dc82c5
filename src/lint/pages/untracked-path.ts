import type { Page } from "./page.ts";

export const untrackedPath: Page = {
  name: "untracked-path",
  finds:
    "Forwarded packets that should be tracked, but that only the interface by which they leave tells from untracked ones.",
  matters:
    "Whether a packet is tracked is decided before it is routed, when the kernel does not know yet where it will leave. What should be tracked would lose its state and its NAT along with the rest.",
  example: `version: 1
interfaces: { lan: eth1, wan: eth0, lab: eth2 }
policies:
  - name: to the lab
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow udp from 10.0.0.0/8 to any port 9000 out lab
  - name: to the world
    rules:
      - allow udp from 10.0.0.0/8 to not 10.0.0.0/8 out wan
      - allow tcp from 10.0.0.0/8 to self port 22 in lan
`,
  instead:
    "Tell the two apart by something that is known when a packet arrives: its addresses, its ports, or `in`.",
  correct: [["to any port 9000 out lab", "to 10.9.0.0/16 port 9000 out lab"]],
};

import type { Page } from "./page.ts";

export const keepPorts: Page = {
  name: "keep-ports",
  finds: "Source NAT that keeps the source port of a flow where it can.",
  matters:
    "Connection tracking picks the port of a new flow before it remembers the flow. Two packets that arrive together, such as the A and AAAA questions of one resolver, can get the same one; the second is dropped, and its sender waits one second, three or five before it tries again. Ports drawn at random make this so rare that nobody sees it.",
  example: `version: 1
interfaces: { wan: eth0 }
policies:
  - name: office
    rules:
      - allow from 10.0.0.0/8 to any out wan
      - allow tcp from 10.0.0.0/8 to self port 22
nat:
  - masquerade from 10.0.0.0/8 out wan keep-ports
`,
  instead:
    "Take `keep-ports` out, unless something behind this NAT must know its own port, as some NAT traversal does; then say so: `# ctc-ignore keep-ports: the SIP gateway needs its port`.",
  correct: [[" keep-ports", ""]],
};

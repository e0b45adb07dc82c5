import type { Page } from "./page.ts";

export const dnatNotAllowed: Page = {
  name: "dnat-not-allowed",
  finds: "A `dnat` or `redirect` whose translated packets no rule allows.",
  matters:
    "NAT opens nothing by itself, and rules see a packet after its destination was translated. A rule for the old destination, which is what people write first, never matches.",
  example: `version: 1
interfaces: { wan: eth0 }
policies:
  - name: web
    rules:
      - allow tcp from any to self port 8080 in wan
      - allow tcp from 192.0.2.0/24 to self port 22
nat:
  - dnat tcp from any to self port 8080 in wan -> 10.0.0.5 port 80
`,
  instead: "Allow the packet with its new destination and port.",
  correct: [["to self port 8080 in wan\n      - allow", "to 10.0.0.5 port 80 in wan\n      - allow"]],
};

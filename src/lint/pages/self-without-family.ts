import type { Page } from "./page.ts";

export const selfWithoutFamily: Page = {
  name: "self-without-family",
  finds:
    "`host.addresses` with addresses of one IP version only, while a rule names addresses of the other one as what `self` talks to.",
  matters:
    "`self` is one of the addresses that are listed, so such a rule matches no packet of the other version. Clients with both try IPv6 first, and wait before they fall back.",
  example: `version: 1
addresses:
  clients: [10.1.0.0/16, "2001:db8:1::/48"]
host:
  addresses: [192.0.2.1]
policies:
  - name: web
    rules:
      - allow tcp from clients to self port 22, 443
`,
  instead:
    "List all of this host's addresses, or leave `host:` out: `self` is then whatever the kernel delivers here.",
  correct: [["[192.0.2.1]", '[192.0.2.1, "2001:db8::1"]']],
};

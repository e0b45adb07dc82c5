import type { Page } from "./page.ts";

export const noWayBackIn: Page = {
  name: "no-way-back-in",
  finds:
    "A policy that denies input by default and lets nobody open a connection to port 22 (or 2222) of this host.",
  matters: "Whoever loads it over the network keeps the connection that is open, and gets no second one.",
  example: `version: 1
policies:
  - name: web
    rules:
      - allow tcp from any to self port 443
`,
  instead:
    "Allow a management connection. Where the host has a console, or is managed on another port, ignore the warning and say so: `# ctc-ignore no-way-back-in: managed over the serial console`.",
  correct: [["port 443\n", "port 443\n      - allow tcp from 192.0.2.0/24 to self port 22\n"]],
};

import type { Page } from "./page.ts";

const TAIL = "      - allow tcp from 192.0.2.0/24 to self port 22\n";

/** Checks of what names and sentences come to. */
export const policyPages: readonly Page[] = [
  {
    name: "unknown-name",
    finds: "A name that nothing declares.",
    matters: "A slip in a name must not become an empty list: a deny from nobody denies nothing.",
    example: `version: 1
addresses:
  clients: 10.1.0.0/16
policies:
  - name: web
    rules:
      - allow tcp from clinets to self port 443
      - allow tcp from clients to self port 22
`,
    instead: "Mend the name, or declare it.",
    correct: [["clinets", "clients"]],
  },
  {
    name: "cyclic-name",
    finds: "An address list that contains itself, through other lists.",
    matters: "There are no addresses that it could stand for.",
    example: `version: 1
addresses:
  office: [10.1.0.0/16, branches]
  branches: [10.2.0.0/16, office]
policies:
  - name: web
    rules:
      - allow tcp from office to self port 22
`,
    instead: "Take one of the names out of the other list.",
    correct: [["[10.2.0.0/16, office]", "10.2.0.0/16"]],
  },
  {
    name: "families-cannot-meet",
    finds: "A sentence that asks for IPv4 at one place and for IPv6 at another.",
    matters: "No packet has both, so the sentence does nothing.",
    example: `version: 1
policies:
  - name: web
    rules:
      - allow tcp from 2001:db8:1::/48 to 192.0.2.1 port 443
${TAIL}`,
    instead: "Give both ends addresses of the same family; a list may hold both families.",
    correct: [["to 192.0.2.1 port", "to self port"]],
  },
  {
    name: "host-addresses",
    finds: "`any` or `self` among `host.addresses`.",
    matters: "The list says what `self` is. `any` would make every packet one for this host.",
    example: `version: 1
host: { addresses: any }
policies:
  - name: web
    rules:
      - allow tcp from any to self port 80
${TAIL}`,
    instead:
      "List this host's own addresses, or leave `host:` out: `self` is then whatever the kernel delivers here.",
    correct: [["host: { addresses: any }", 'host: { addresses: [198.51.100.7, "2001:db8::7"] }']],
  },
  {
    name: "nat-target",
    finds: "A translation to addresses that are not one contiguous range.",
    matters: "The kernel picks an address between a first and a last one; it has no way to leave some out.",
    example: `version: 1
policies:
  - name: office
    rules:
      - allow from 10.0.0.0/8 to any out eth0
${TAIL}nat:
  - snat from 10.0.0.0/8 out eth0 -> 198.51.100.1, 198.51.100.9
`,
    instead: "Write one address or one range for each IP version, or a sentence for each address.",
    correct: [["198.51.100.1, 198.51.100.9", "198.51.100.1-198.51.100.2"]],
  },
  {
    name: "symmetric-tracked",
    finds: "`symmetricAllow` on a policy that is tracked.",
    matters:
      "Replies of tracked flows are allowed by their state. A mirror of the rules would let new flows in the other way, too.",
    example: `version: 1
policies:
  - name: administration
    symmetricAllow: true
    rules:
${TAIL}`,
    instead: "Take it out, or add `doNotTrack: true` if that was meant.",
    correct: [["    symmetricAllow: true\n", ""]],
  },
  {
    name: "untracked-reject",
    finds: "`reject` in a `doNotTrack` policy.",
    matters:
      "Its denies act before connection tracking. nft could reject there, iptables can only drop; and a policy means the same with both.",
    example: `version: 1
policies:
  - name: no telnet
    doNotTrack: true
    rules:
      - reject tcp from any to self port 23
  - name: administration
    rules:
${TAIL}`,
    instead: "Write `deny`, or move the rule to a tracked policy.",
    correct: [["reject tcp", "deny tcp"]],
  },
];

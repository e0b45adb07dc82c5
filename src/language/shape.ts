import * as z from "zod/mini";
import { PROTOCOL_NAMES } from "./protocols.ts";
import { RESERVED_WORDS } from "./tokens.ts";

/*
 * The shape of a policy file: which keys there are, and what kind of value each of them has. What the texts in it mean
 * is not known here. The same shape, as JSON Schema, is what editors complete and explain keys from: descriptions are
 * for those who write a policy, messages continue "`key` must be …".
 */

/** Adds what an editor shows when the mouse rests on a key. */
function described<Schema extends z.core.$ZodType>(
  schema: Schema,
  description: string,
  examples: unknown[] = [],
): Schema {
  z.globalRegistry.add(schema, examples.length > 0 ? { description, examples } : { description });
  return schema;
}

function text(error: string) {
  return z.string({ error });
}

/** Names as JSON Schema can tell: reserved words are told apart by a look ahead. */
const name = text("a name").check(
  z.regex(new RegExp(`^(?!(?:${RESERVED_WORDS.join("|")})$)[A-Za-z][A-Za-z0-9_-]{0,62}$`)),
);

function verdict() {
  return z.enum(["allow", "deny"], { error: "`allow` or `deny`" });
}

const device = described(
  text("a device name").check(z.regex(/^[A-Za-z0-9_.:@-]{1,14}(?:[A-Za-z0-9_.:@-]|\*)?$/)),
  "A device name; a trailing `*` stands for every device whose name starts so.",
  ["eth0", "br-*"],
);

const address = described(
  text("an address, a CIDR, a range or a name"),
  "An address, a CIDR, a range of addresses, or a name declared under `addresses`.",
  ["192.0.2.1", "10.0.0.0/8", "192.0.2.10-192.0.2.20", "2001:db8::/32", "admins"],
);

const addressFile = z.strictObject(
  {
    file: described(
      text("a path"),
      "A file with an address, a CIDR, a range or a name on each line; `#` begins a comment. The path is relative to the policy.",
      ["blocklist.txt"],
    ),
  },
  { error: "an address, a list of them, or `{ file: … }`" },
);

const traffic = described(
  text("a protocol with its ports"),
  `A protocol with its destination ports or its ICMP type. Protocols: ${PROTOCOL_NAMES.join(", ")}, or a number.`,
  ["tcp 22", "udp 53, 5353", "tcp 8000-8100", "icmp echo-request", "esp"],
);

const rule = described(
  text("a sentence; quote it if it holds `: ` or ` #`"),
  'ACTION [TRAFFIC] from PEER to PEER [in INTERFACES] [out INTERFACES] [limit N/UNIT [burst N]] [log ["prefix"]] [replies]',
  [
    "allow tcp from any to self port 443",
    'allow ssh from admins to self in wan limit 10/minute burst 20 log "ssh"',
    "deny from blocklist to any",
  ],
);

const natSentence = described(
  text("a sentence; quote it if it holds `: ` or ` #`"),
  "masquerade, snat … -> POOL, dnat … -> ADDRESS [port P], or redirect … -> port P.",
  [
    "masquerade from 172.17.0.0/16 out wan",
    "snat from 10.8.0.0/14 out wan -> 192.0.2.40-192.0.2.43",
    "dnat tcp from any to self port 8080 in wan -> 10.8.0.5 port 80",
    "redirect tcp from any to any port 80 in lan -> port 3128",
  ],
);

/** One value or a list of them. */
function oneOrMore<Item extends z.core.$ZodType>(item: Item, error: string) {
  return z.union([item, z.array(item, { error }).check(z.minLength(1))], { error });
}

/** A list of sentences, or one block of text with a sentence on each line. */
function sentences(sentence: typeof rule, error: string) {
  return z.union([z.array(sentence, { error }), z.string({ error })], { error });
}

const policy = z.strictObject(
  {
    name: described(
      text("a text of 1 to 64 characters").check(z.regex(/^[^\n\r]{1,64}$/u)),
      "What this policy is for. Every policy has its own name; emitted rules carry it.",
      ["administration"],
    ),
    doNotTrack: z.optional(
      described(
        z.boolean({ error: "`true` or `false`" }),
        "Packets that this policy allows bypass connection tracking: nothing is remembered about them, and replies need a rule of their own.",
      ),
    ),
    symmetricAllow: z.optional(
      described(
        z.union([z.boolean(), z.literal("both")], { error: "`true`, `false` or `both`" }),
        "Adds to each allow of a doNotTrack policy the way back: `true` lets TCP pass there only as replies, `both` lets everything pass.",
      ),
    ),
    rules: described(
      sentences(rule, "a list of sentences, or a block of lines (`|`)"),
      "The rules, one sentence each: a list, or one block of text (`|`) with a sentence on each line. The first rule that matches a packet decides.",
    ),
  },
  { error: "a mapping with `name` and `rules`" },
);

export const policyFile = described(
  z.strictObject(
    {
      version: described(
        z.literal(1, { error: "1: this `ctc` knows no other version of the language" }),
        "The version of the language: 1.",
        [1],
      ),
      interfaces: z.optional(
        described(
          z.record(name, oneOrMore(device, "a device or a list of devices"), {
            error: "a mapping from names to devices",
          }),
          "Names for network devices.",
          [{ wan: "eth0", pods: ["docker0", "br-*"] }],
        ),
      ),
      addresses: z.optional(
        described(
          z.record(
            name,
            z.union([address, z.array(address, { error: "a list of addresses" }), addressFile], {
              error: "an address, a list of them, or `{ file: … }`",
            }),
            { error: "a mapping from names to addresses" },
          ),
          "Names for addresses: CIDRs, single addresses, ranges, other names, or a file with one of these on each line.",
          [{ admins: ["192.0.2.10-192.0.2.20", "198.51.100.0/24"], blocklist: { file: "blocklist.txt" } }],
        ),
      ),
      services: z.optional(
        described(
          z.record(name, oneOrMore(traffic, "a protocol with its ports, or a list of them"), {
            error: "a mapping from names to protocols and ports",
          }),
          "Names for kinds of traffic: protocols with their destination ports or ICMP types.",
          [{ memcached: ["tcp 11211", "udp 11211"], ssh: "tcp 22", ping: "icmp echo-request" }],
        ),
      ),
      host: z.optional(
        described(
          z.strictObject(
            {
              addresses: described(
                oneOrMore(address, "an address or a list of them"),
                "The addresses that `self` stands for. Without them, `self` is whatever the kernel delivers to this host.",
              ),
            },
            { error: "a mapping with `addresses`" },
          ),
          "What is known of this host.",
          [{ addresses: ["192.0.2.1"] }],
        ),
      ),
      defaults: z.optional(
        described(
          z.strictObject(
            {
              input: z.optional(described(verdict(), "Packets to this host; `deny` if left out.")),
              forward: z.optional(
                described(verdict(), "Packets that this host passes on; `deny` if left out."),
              ),
              output: z.optional(described(verdict(), "Packets that this host sends; `allow` if left out.")),
            },
            { error: "a mapping with `input`, `forward` and `output`" },
          ),
          "What becomes of packets that no rule matches.",
          [{ input: "deny", forward: "deny", output: "allow" }],
        ),
      ),
      essentials: z.optional(
        described(
          z.boolean({ error: "`true` or `false`" }),
          "Whether loopback, IPv6 neighbour discovery and MLD and, when anything is untracked, the ICMP errors of path-MTU discovery are allowed without a rule; `true` if left out.",
        ),
      ),
      policies: z.optional(
        described(
          z.array(policy, { error: "a list of policies" }),
          "The policies. Their rules are one list, in the order in which they stand here.",
        ),
      ),
      nat: z.optional(
        described(
          sentences(natSentence, "a list of sentences, or a block of lines (`|`)"),
          "Network address translation, one sentence each.",
        ),
      ),
    },
    { error: "a mapping that begins with `version: 1`" },
  ),
  "A network policy for one host.",
);

/** The keys that may stand in the mapping at `path`; null where any name may. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] | null {
  const [section, , inner] = path;
  if (section === undefined) return Object.keys(policyFile.shape);
  if (section === "policies" && inner === undefined) return Object.keys(policy.shape);
  if (section === "host") return ["addresses"];
  if (section === "defaults") return ["input", "forward", "output"];
  if (section === "addresses" && path.length === 2) return ["file"];
  return null;
}

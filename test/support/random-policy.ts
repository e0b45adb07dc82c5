import fc from "fast-check";
import { positionOf } from "../../src/source/source.ts";
import { readPolicy } from "./policy.ts";

/**
 * Random policies as text, over a world so small that rules overlap, nearly mirror each other and sit next to each
 * other all the time: a handful of nested prefixes, neighbouring ports, three devices.
 */

export const DEVICES = ["eth0", "eth1", "wg0"] as const;
/** This host's own addresses in the small world. */
export const HOST = { v4: "10.0.0.1", v6: "fd00::1" } as const;

const V4 = [
  "10.0.0.0/8",
  "10.0.0.0/24",
  "10.0.0.1",
  "10.0.0.2",
  "10.0.0.2-10.0.0.5",
  "10.0.0.128/25",
  "192.0.2.7",
  "192.0.2.0/24",
];
const V6 = ["fd00::/8", "fd00::/64", "fd00::1", "fd00::2", "fd00::2-fd00::5", "2001:db8::7", "2001:db8::/32"];
const NAMES = ["near", "far", "both", "home"];
const PORTS = ["80", "81", "80-81", "79-90", "53", "1024-65535", "53, 80"];
const TRAFFIC = [
  "tcp",
  "udp",
  "icmp",
  "icmp echo-request",
  "icmp4 3/4",
  "icmp6 neighbour-solicitation",
  "gre",
  "web",
  "dns",
  "mixed",
];

/** The words of which sentences are made. */
interface Words {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly ports: readonly string[];
  readonly traffic: readonly string[];
  readonly devices: readonly string[];
}

const FEW: Words = {
  v4: V4,
  v6: V6,
  ports: PORTS,
  traffic: TRAFFIC,
  devices: ["wan", "lan", "eth0", "wg*", "eth0, wg0"],
};

/** Beside those: groups, own addresses of other devices, everything; other protocols; patterns and loopback. */
const ALL: Words = {
  v4: [...V4, "0.0.0.0/0", "10.0.1.1", "10.0.0.255", "224.0.0.0/4", "255.255.255.255", "8.8.8.8"],
  v6: [...V6, "::/0", "fd00:0:0:1::1", "ff00::/8", "ff02::1", "fd00::", "2a00::/16"],
  ports: [...PORTS, "web", "1-65535", "1023", "512-1023, 80"],
  traffic: [
    ...TRAFFIC,
    ...[
      "sctp",
      "udplite",
      "esp",
      "89",
      "icmp4",
      "icmp6",
      "icmp destination-unreachable",
      "icmp6 packet-too-big",
    ],
    ...["icmp6 137", "icmp4 timestamp-request", "icmp echo-reply", "icmp6 143"],
  ],
  devices: [...FEW.devices, "lo", "eth*", "lo, eth1", "eth0, eth1, wg0"],
};

/** What may follow a rule. The limits always have room, so that nobody need keep count. */
const TRAILERS = [
  " limit 1000/second burst 1000",
  ' log "seen "',
  " log",
  ' limit 5000/second burst 2000 log "l"',
];

interface Peer {
  readonly text: string;
}

const addressList = ({ v4, v6 }: Words): fc.Arbitrary<Peer> =>
  fc
    .tuple(
      fc.boolean(),
      fc.array(
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...v4) },
          { weight: 2, arbitrary: fc.constantFrom(...v6) },
          { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
          { weight: 5, arbitrary: fc.constant("self") },
          { weight: 4, arbitrary: fc.constant("any") },
        ),
        { minLength: 1, maxLength: 3 },
      ),
      fc.integer({ min: 0, max: 7 }),
    )
    .map(([single, list, dice]): Peer => {
      const members = single ? list.slice(0, 1) : [...new Set(list)];
      const negated = dice === 0 && !members.includes("any");
      return { text: `${negated ? "not " : ""}${members.join(", ")}` };
    });

const portList = (words: Words): fc.Arbitrary<string> =>
  fc.option(
    fc
      .tuple(fc.boolean(), fc.constantFrom(...words.ports))
      .map(([not, port]) => ` port ${not ? "not " : ""}${port}`),
    { nil: "", freq: 2 },
  );

const interfaces = ({ devices }: Words, word: "in" | "out"): fc.Arbitrary<string> =>
  fc.option(
    fc
      .tuple(fc.boolean(), fc.constantFrom(...devices))
      .map(([not, device]) => ` ${word} ${not ? "not " : ""}${device}`),
    { nil: "", freq: 4 },
  );

/** Ports are written only where the traffic has them, so that few sentences are refused. */
const hasPorts = (traffic: string): boolean => /^(tcp|udp|sctp|udplite)$/.test(traffic);

interface Clauses {
  readonly traffic: string;
  readonly from: string;
  readonly to: string;
}

const clausesOf = (words: Words): fc.Arbitrary<Clauses> =>
  fc
    .tuple(
      fc.option(fc.constantFrom(...words.traffic), { nil: "" }),
      addressList(words),
      portList(words),
      addressList(words),
      portList(words),
    )
    .map(([traffic, from, fromPorts, to, toPorts]) => {
      const portful = hasPorts(traffic);
      return {
        traffic,
        from: ` from ${from.text}${portful ? fromPorts : ""}`,
        to: ` to ${to.text}${portful ? toPorts : ""}`,
      };
    });

const ruleOf = (words: Words, actions: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...actions),
      clausesOf(words),
      fc.integer({ min: 0, max: 5 }),
      interfaces(words, "in"),
      interfaces(words, "out"),
      fc.integer({ min: 0, max: 9 }),
      words === ALL ? fc.option(fc.constantFrom(...TRAILERS), { nil: "", freq: 5 }) : fc.constant(""),
    )
    .map(([action, { traffic, from, to }, which, incoming, outgoing, dice, trailer]) => {
      const devices =
        which === 0 ? incoming : which === 1 ? outgoing : which === 2 ? incoming + outgoing : "";
      return `${action}${traffic ? ` ${traffic}` : ""}${from}${to}${devices}${trailer}${dice === 0 ? " replies" : ""}`;
    });

interface Section {
  readonly flags: readonly string[];
  readonly rules: readonly string[];
}

const sectionOf = (words: Words): fc.Arbitrary<Section> =>
  fc
    .tuple(
      fc.constantFrom("tracked", "untracked", "symmetric", "both"),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(ruleOf(words, ["allow", "allow", "deny", "reject"])),
      fc.infiniteStream(ruleOf(words, ["allow", "allow", "deny"])),
    )
    .map(([kind, count, tracked, untracked]) => {
      const rules = [...(kind === "tracked" ? tracked : untracked).take(count)];
      const flags = {
        tracked: [],
        untracked: ["doNotTrack: true"],
        symmetric: ["doNotTrack: true", "symmetricAllow: true"],
        both: ["doNotTrack: true", "symmetricAllow: both"],
      }[kind];
      return { flags, rules };
    });

const headOf = ({ traffic, from, to }: Clauses): string => `${traffic ? ` ${traffic}` : ""}${from}${to}`;

const natSentence = (words: Words): readonly fc.Arbitrary<string>[] => [
  clausesOf(words).map((clauses) => `masquerade${headOf(clauses)}`),
  clausesOf(words).map((clauses) => `snat${headOf(clauses)} out lan -> 192.0.2.40-192.0.2.43`),
  clausesOf(words).map(({ from, to }) => `dnat tcp${from}${to} -> 10.0.0.5 port 81`),
  clausesOf(words).map(({ from, to }) => `redirect udp${from}${to} -> port 53`),
];

const SOURCE_TARGETS = [
  ["masquerade", ""],
  ["masquerade", " -> ports 2000-2999"],
  ["snat", " -> 192.0.2.40"],
  ["snat", " -> 2001:db8::40-2001:db8::43"],
  ["snat", " -> 192.0.2.40-192.0.2.43 ports 500-600"],
  ["snat", " -> pool"],
] as const;

const DESTINATION_TARGETS = [
  ["dnat", " -> 10.0.0.5"],
  ["dnat", " -> fd00::5"],
  ["dnat", " -> 10.0.0.5-10.0.0.7"],
  ["dnat", " -> 10.0.1.1"],
  ["dnat tcp", " -> 10.0.1.1 port 80"],
  ["dnat udp", " -> fd00::5-fd00::6 port 53"],
  ["dnat sctp", " -> 192.0.2.7 port 81"],
  ["redirect tcp", " -> port 80"],
  ["redirect dns", " -> port 53"],
] as const;

/** The other forms of both kinds. */
const natForms = (words: Words): readonly fc.Arbitrary<string>[] => [
  fc
    .tuple(fc.constantFrom(...SOURCE_TARGETS), clausesOf(words), interfaces(words, "out"), fc.boolean())
    .map(
      ([[verb, target], clauses, out, keep]) =>
        `${verb}${headOf(clauses)}${out}${target}${keep ? " keep-ports" : ""}`,
    ),
  fc
    .tuple(fc.constantFrom(...DESTINATION_TARGETS), clausesOf(words), interfaces(words, "in"))
    .map(([[verb, target], clauses, incoming]) => {
      const head = verb.includes(" ") ? `${clauses.from}${clauses.to}` : headOf(clauses);
      return `${verb}${head}${incoming}${target}`;
    }),
];

export interface Features {
  readonly nat: boolean;
  /** Everything that the language has; without it the few words in which tests that count packets one by one are at home. */
  readonly whole?: boolean;
}

/** The text of a policy that the compiler accepts; `features` leaves parts of the language out. */
export function randomPolicy(features: Features): fc.Arbitrary<string> {
  const words = features.whole ? ALL : FEW;
  const sentences = features.whole
    ? [...natSentence(words), ...natForms(words), ...natForms(words)]
    : natSentence(words);
  return fc
    .record({
      policies: fc.array(sectionOf(words), { minLength: 1, maxLength: 4 }),
      nat: fc.array(fc.oneof(...sentences), { maxLength: features.nat ? 3 : 0 }),
      input: fc.constantFrom("allow", "deny", "deny"),
      forward: fc.constantFrom("allow", "deny"),
      output: fc.constantFrom("allow", "deny"),
      essentials: fc.constantFrom(true, true, false),
      host: fc.constantFrom(true, false, false),
    })
    .map(({ policies, nat, input, forward, output, essentials, host }) =>
      [
        "version: 1",
        "interfaces: { wan: eth0, lan: [eth1, wg*] }",
        "addresses:",
        `  near: [10.0.0.0/25, "fd00::/64"]`,
        `  far: ["192.0.2.0/24", "2001:db8::/32"]`,
        "  both: [near, far]",
        "  home: [10.0.0.1, 10.0.0.2]",
        ...(features.whole ? [`  pool: [192.0.2.50, "2001:db8::50"]`] : []),
        "services:",
        "  web: [tcp 80, tcp 443]",
        "  dns: [udp 53, tcp 53]",
        "  mixed: [icmp echo-request, udp 53, gre]",
        ...(host ? [`host: { addresses: [${HOST.v4}, "${HOST.v6}"] }`] : []),
        `defaults: { input: ${input}, forward: ${forward}, output: ${output} }`,
        `essentials: ${essentials}`,
        "policies:",
        ...policies.flatMap(({ flags, rules }, i) => [
          `  - name: policy ${i + 1}`,
          ...flags.map((flag) => `    ${flag}`),
          "    rules:",
          ...rules.map((rule) => `      - ${rule}`),
        ]),
        ...(nat.length > 0 ? ["nat:", ...nat.map((sentence) => `  - ${sentence}`)] : []),
        "",
      ].join("\n"),
    )
    .map(withoutRefusedSentences);
}

/** Takes out the sentences that the compiler refuses: most random ones that make no sense have families that never meet. */
function withoutRefusedSentences(text: string): string {
  const { findings } = readPolicy(text);
  const refused = new Set(
    findings.flatMap(({ level, span }) =>
      level === "error" ? [positionOf(span.source, span.start).line - 1] : [],
    ),
  );
  return text
    .split("\n")
    .filter((_, line) => !refused.has(line))
    .join("\n")
    .replace(/ {4}rules:\n(?! {6}-)/g, "    rules: []\n")
    .replace(/nat:\n(?! {2}-)/g, "");
}

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

const address = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...V4) },
  { weight: 2, arbitrary: fc.constantFrom(...V6) },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 5, arbitrary: fc.constant("self") },
  { weight: 4, arbitrary: fc.constant("any") },
);

interface Peer {
  readonly text: string;
}

const addressList = fc
  .tuple(fc.boolean(), fc.array(address, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 7 }))
  .map(([single, list, dice]): Peer => {
    const members = single ? list.slice(0, 1) : [...new Set(list)];
    const negated = dice === 0 && !members.includes("any");
    return { text: `${negated ? "not " : ""}${members.join(", ")}` };
  });

const ports = fc.option(
  fc.tuple(fc.boolean(), fc.constantFrom(...PORTS)).map(([not, port]) => ` port ${not ? "not " : ""}${port}`),
  { nil: "", freq: 2 },
);

const interfaces = (word: "in" | "out"): fc.Arbitrary<string> =>
  fc.option(
    fc
      .tuple(fc.boolean(), fc.constantFrom("wan", "lan", "eth0", "wg*", "eth0, wg0"))
      .map(([not, device]) => ` ${word} ${not ? "not " : ""}${device}`),
    { nil: "", freq: 4 },
  );

/** Ports are written only where the traffic has them, so that few sentences are refused. */
const hasPorts = (traffic: string): boolean => /^(tcp|udp)$/.test(traffic);

const clauses = fc
  .tuple(fc.option(fc.constantFrom(...TRAFFIC), { nil: "" }), addressList, ports, addressList, ports)
  .map(([traffic, from, fromPorts, to, toPorts]) => {
    const portful = hasPorts(traffic);
    return {
      traffic,
      from: ` from ${from.text}${portful ? fromPorts : ""}`,
      to: ` to ${to.text}${portful ? toPorts : ""}`,
    };
  });

const ruleOf = (actions: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...actions),
      clauses,
      fc.integer({ min: 0, max: 5 }),
      interfaces("in"),
      interfaces("out"),
      fc.integer({ min: 0, max: 9 }),
    )
    .map(([action, { traffic, from, to }, which, incoming, outgoing, dice]) => {
      const devices =
        which === 0 ? incoming : which === 1 ? outgoing : which === 2 ? incoming + outgoing : "";
      return `${action}${traffic ? ` ${traffic}` : ""}${from}${to}${devices}${dice === 0 ? " replies" : ""}`;
    });

const policy = fc
  .tuple(
    fc.constantFrom("tracked", "untracked", "symmetric", "both"),
    fc.integer({ min: 1, max: 4 }),
    fc.infiniteStream(ruleOf(["allow", "allow", "deny", "reject"])),
    fc.infiniteStream(ruleOf(["allow", "allow", "deny"])),
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

const natSentence: fc.Arbitrary<string> = fc.oneof(
  clauses.map(({ traffic, from, to }) => `masquerade${traffic ? ` ${traffic}` : ""}${from}${to}`),
  clauses.map(
    ({ traffic, from, to }) =>
      `snat${traffic ? ` ${traffic}` : ""}${from}${to} out lan -> 192.0.2.40-192.0.2.43`,
  ),
  clauses.map(({ from, to }) => `dnat tcp${from}${to} -> 10.0.0.5 port 81`),
  clauses.map(({ from, to }) => `redirect udp${from}${to} -> port 53`),
);

export interface Features {
  readonly nat: boolean;
}

/** The text of a policy that the compiler accepts; `features` leaves parts of the language out. */
export function randomPolicy(features: Features): fc.Arbitrary<string> {
  return fc
    .record({
      policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
      nat: fc.array(natSentence, { maxLength: features.nat ? 3 : 0 }),
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

import { type Random, seededRandom } from "./random.ts";

/** Makes a policy of so many rules. The same count gives the same bytes. */
export type Generator = (rules: number) => string;

/** What is generated, by name. */
export const GENERATORS = { easy, hard } as const satisfies Record<string, Generator>;

export type GeneratorName = keyof typeof GENERATORS;

/** Policies in a file, of which one is `doNotTrack`. */
const POLICIES = 10;

const SEED = 20_260_917;

/** What most large rule sets are: each client may reach its port; every second one by IPv6. */
function easy(rules: number): string {
  const random = seededRandom(SEED);
  return policyFile(rules, 5, (index) => {
    const port = 1024 + random.integer(60_000);
    const client = index % 2 === 0 ? prefix4(random, 28) : prefix6(random, 64);
    return `allow ${random.chance(80) ? "tcp" : "udp"} from ${client} to self port ${port}`;
  });
}

/** What proofs and sets find hard: few ports, nested prefixes, wildcards at both ends, half of the rules denies. */
function hard(rules: number): string {
  const random = seededRandom(SEED + 1);
  const ports = ["22", "53", "80", "443", "1024-65535", "8080"];
  // A few networks hold all prefixes, so that most of them nest.
  const networks = Array.from({ length: 16 }, () => random.integer(2 ** 32));
  const networks6 = Array.from({ length: 16 }, () => random.integer(2 ** 32));
  const peer = (family: 4 | 6): string => {
    if (random.chance(20)) return "any";
    if (family === 4) return prefix4(random, 8 + random.integer(25), random.pick(networks));
    return prefix6(random, 32 + random.integer(33), random.pick(networks6));
  };
  // The untracked policy stands first, and only opens ports of this host: further down, the denies would take the replies
  // of its packets, and ctc refuses that.
  return policyFile(rules, 0, (_, isUntracked) => {
    if (isUntracked) {
      const client = random.chance(50) ? prefix4(random, 16, random.pick(networks)) : prefix6(random, 48);
      return `allow ${random.pick(["tcp", "udp"])} from ${client} to self port ${random.pick(["53", "80", "443"])}`;
    }
    const family = random.chance(50) ? 4 : 6;
    const action = random.chance(50) ? "deny" : "allow";
    const protocol = random.chance(70) ? "tcp" : "udp";
    const destination = random.chance(50) ? "self" : peer(family);
    return `${action} ${protocol} from ${peer(family)} to ${destination} port ${random.pick(ports)}`;
  });
}

/** A policy file around the sentences: ten policies of equal size, of which number `untracked` is `doNotTrack`. */
function policyFile(
  rules: number,
  untracked: number,
  sentence: (index: number, isUntracked: boolean) => string,
): string {
  const lines = ["version: 1", "policies:"];
  for (let policy = 0; policy < POLICIES; policy++) {
    lines.push(`  - name: policy ${policy}`);
    if (policy === untracked) lines.push("    doNotTrack: true", "    symmetricAllow: true");
    lines.push("    rules: |");
    const end = Math.floor(((policy + 1) * rules) / POLICIES);
    for (let index = Math.floor((policy * rules) / POLICIES); index < end; index++) {
      lines.push(`      ${sentence(index, policy === untracked)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** A random IPv4 prefix; with a network, one below or above it. */
function prefix4(random: Random, length: number, network?: number): string {
  const low = random.integer(2 ** 32);
  const address = network === undefined ? low : (network & 0xffff_0000) | (low & 0xffff);
  const masked = highBits(address, length);
  const bytes = [24, 16, 8, 0].map((shift) => (masked >>> shift) & 255);
  return `${bytes.join(".")}/${length}`;
}

/** The first `count` of 32 bits. */
function highBits(value: number, count: number): number {
  return count === 0 ? 0 : (value & (-1 << (32 - count))) >>> 0;
}

/** A random IPv6 prefix below 2001:db8::/32 of 32 to 64 bits; with a network, one below or above it. */
function prefix6(random: Random, length: number, network?: number): string {
  const low = random.integer(2 ** 32);
  const address = network === undefined ? low : (network & 0xffff_0000) | (low & 0xffff);
  const masked = highBits(address, length - 32);
  const high = (masked >>> 16).toString(16);
  const rest = (masked & 0xffff).toString(16);
  const text =
    rest !== "0" ? `2001:db8:${high}:${rest}::` : high !== "0" ? `2001:db8:${high}::` : "2001:db8::";
  return `${text}/${length}`;
}

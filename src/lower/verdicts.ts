import type { Statement, Match as Test } from "../netfilter/ruleset.ts";
import { TCP } from "../policy/packet.ts";
import type { Rule } from "../policy/policy.ts";
import type { Line } from "./lines.ts";

/** Lines of a rule with what the filter does to a packet that matches. */
export interface Outcome {
  readonly lines: readonly Line[];
  readonly statement: Statement;
}

/** What a rule does in the filter. A reject answers TCP with a reset, as a closed port would, and the rest with ICMP. */
export function outcomesOf(rule: Rule, lines: readonly Line[]): Outcome[] {
  switch (rule.action) {
    case "allow":
      return [{ lines, statement: { kind: "accept" } }];
    case "deny":
      return [{ lines, statement: { kind: "drop" } }];
    case "reject":
      return [
        { lines: lines.flatMap(tcpPart), statement: { kind: "reject", with: "tcp-reset" } },
        { lines: lines.flatMap(otherPart), statement: { kind: "reject", with: "port-unreachable" } },
      ];
  }
}

/** The line for TCP alone. */
function tcpPart(line: Line): Line[] {
  return narrow(line, (protocols, negated) => (protocols.includes(TCP) !== negated ? [TCP] : []), [TCP]);
}

/** The line for everything that is not TCP. Where nothing is said of protocols the TCP line stands above it. */
function otherPart(line: Line): Line[] {
  return narrow(
    line,
    (protocols, negated) => (negated ? null : protocols.filter((one) => one !== TCP)),
    null,
  );
}

/** Rewrites the protocol test of a line: null leaves the line as it is, an empty list takes it away. */
function narrow(
  line: Line,
  keep: (protocols: readonly number[], negated: boolean) => readonly number[] | null,
  whereNoneIsSaid: readonly number[] | null,
): Line[] {
  const test = line.find((one) => one.kind === "protocol");
  const isIcmp = line.some((one) => one.kind === "icmp");
  if (isIcmp) return whereNoneIsSaid === null ? [line] : [];
  const protocols = test ? keep(test.protocols, test.negated) : whereNoneIsSaid;
  if (protocols === null) return [line];
  if (protocols.length === 0) return [];
  const narrowed: Test = { kind: "protocol", protocols, negated: false };
  return [test ? line.map((one) => (one === test ? narrowed : one)) : [narrowed, ...line]];
}

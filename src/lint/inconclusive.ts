import type { Document } from "../language/ast.ts";
import type { Finding } from "../source/finding.ts";
import type { Check } from "./check.ts";

/**
 * What could not be settled within the node budget. Where a proof is among it this is an error: nothing is emitted for a
 * policy of which nobody knows that it works.
 */
export function inconclusive(unproved: readonly Check[], { source, policies }: Document): Finding {
  const named = (some: readonly Check[]): string => some.map(({ name }) => `\`${name}\``).join(", ");
  const proofs = unproved.filter(({ level }) => level === "error");
  return {
    check: "inconclusive",
    level: proofs.length > 0 ? "error" : "warning",
    message:
      proofs.length > 0
        ? `this policy is too intricate to prove: ${named(proofs)}`
        : `this policy is too intricate to look for ${named(unproved)}`,
    span: policies[0]?.name.span ?? { source, start: 0, end: 0 },
    notes: [
      "To tell what becomes of every packet, the rules are made into diagrams, and these outgrew the memory that they may take. Whether the policy has this fault is not known.",
      ...(proofs.length > 0 && proofs.length < unproved.length
        ? [`Nor was it searched for ${named(unproved.filter((check) => !proofs.includes(check)))}.`]
        : []),
    ],
    help: "make the rules simpler: put addresses that are treated alike into one list, and one rule in the place of many",
  };
}

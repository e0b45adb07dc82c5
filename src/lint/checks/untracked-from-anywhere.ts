import { PROTOCOLS_WITH_PORTS } from "../../policy/packet.ts";
import { canTakePath } from "../../policy/paths.ts";
import type { Rule } from "../../policy/policy.ts";
import type { Check } from "../check.ts";

/** An untracked rule that lets anybody reach any port: whatever listens is open, and nothing remembers who came. */
export const untrackedFromAnywhere: Check = {
  name: "untracked-from-anywhere",
  level: "warning",
  run({ policy }, report) {
    for (const rule of policy.rules)
      if (isWideOpen(rule) && canTakePath(rule.match, "input", policy.self !== null))
        report({
          message: "everybody may reach every port, and nothing tracks them",
          span: rule.origin.span,
          notes: [
            "An untracked rule is judged packet by packet: it lets in replies to nothing, scans of every port, and packets with forged sources, which a tracked rule would tell from a flow.",
          ],
          help: "name the ports of the service, or the addresses of those who may use it",
        });
  },
};

function isWideOpen({ tracked, action, match, origin }: Rule): boolean {
  if (tracked || action !== "allow" || origin.role !== "written" || match.openings === "never") return false;
  const { any, negated } = match.source;
  return (
    any &&
    !negated &&
    match.traffic.some(
      ({ protocol, destinationPorts }) =>
        destinationPorts === null && (protocol === null || PROTOCOLS_WITH_PORTS.has(protocol)),
    )
  );
}

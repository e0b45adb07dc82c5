import { printAddress } from "../../address/print.ts";
import { nameOfProtocol } from "../../language/protocols.ts";
import { FATE } from "../../meaning/fates.ts";
import { translateDestinations } from "../../meaning/translation.ts";
import { packetOf } from "../../meaning/witness.ts";
import { describePacket } from "../../policy/describe.ts";
import type { Packet } from "../../policy/packet.ts";
import type { Check } from "../check.ts";
import { decide, describeDecision } from "../way-back.ts";

/** Destination NAT whose translated packets no rule allows. NAT opens nothing by itself. */
export const dnatNotAllowed: Check = {
  name: "dnat-not-allowed",
  level: "warning",
  run({ policy, meaning }, report) {
    if (policy.destinationNat.length === 0) return;
    const translations = ([4, 6] as const).map((family) => {
      const space = meaning.space(family);
      const passes = space.where(meaning.fates(family, "tracking", "packet"), FATE.allowed, FATE.untracked);
      return { family, space, passes, flows: translateDestinations(family, meaning) };
    });
    for (const [i, nat] of policy.destinationNat.entries()) {
      const families = translations.map(({ family, space, passes, flows }) => {
        const { after } = flows[i]!;
        return { family, after, passes: space.intersects(after, passes) };
      });
      if (families.some(({ passes }) => passes)) continue;
      const packet = families
        .map(({ family, after }) => packetOf(after, family, meaning.world))
        .find((one) => one !== null);
      if (!packet) continue;
      const decision = decide(policy, packet, "blocking");
      const killer = decision.reason.kind === "rule" ? decision.reason.rule : null;
      report({
        message: "nothing allows what this sentence translates",
        span: nat.origin.span,
        ...(killer && { related: [{ span: killer.origin.span, text: "denies the translated packet" }] }),
        notes: [
          `packet: ${describePacket(packet)}  (translated)`,
          `Rules see the packet with its new destination, and NAT opens nothing by itself. Here it meets ${describeDecision(decision, packet)}.`,
        ],
        help: `${killer ? "above it, " : ""}add a rule for the new destination and port, such as \`${ruleFor(packet)}\``,
      });
    }
  },
};

/** The rule that most people want for a translated packet. */
function ruleFor({ family, path, protocol, destination, destinationPort }: Packet): string {
  const to = path === "input" ? "self" : printAddress(family, destination);
  const port = destinationPort === null ? "" : ` port ${destinationPort}`;
  return `allow ${nameOfProtocol(protocol) ?? protocol} from any to ${to}${port}`;
}

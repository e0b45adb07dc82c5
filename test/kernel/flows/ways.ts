import { head, type Section, symmetric, tracked, untracked } from "../../lint/support.ts";
import type { Scene } from "./stage.ts";

/** Nothing passes but what a rule allows. */
export const CLOSED_HOST = head("defaults: { input: deny, forward: deny, output: deny }");
/** Neither what arrives nor what is sent here needs a rule. */
export const OPEN_HOST = head("defaults: { input: allow, forward: allow, output: allow }");

/** Without essentials IPv6 needs rules to find its neighbours. */
export const NO_ESSENTIALS: readonly Section[] = [
  head("essentials: false"),
  untracked(
    "allow icmp6 neighbour-solicitation from any to any",
    "allow icmp6 neighbour-advertisement from any to any",
  ),
];

/** A scene, in the order in which a table reads best. */
export const scene = (
  title: string,
  policy: readonly Section[],
  ends: unknown,
  entries: number,
  refused?: string,
): Scene => ({ title, policy, ends, entries, ...(refused !== undefined && { refused }) });

/**
 * The ways in which a policy may let a conversation through: with its way back untracked too, tracked, and, which are
 * errors, without a way back and with one that is tracked. `half` is what becomes of it then.
 */
export function ways(
  rule: string,
  ends: unknown,
  half: Pick<Scene, "ends" | "entries">,
  lost: unknown = "silence",
): readonly Scene[] {
  return [
    scene("untracked, both ways", [CLOSED_HOST, symmetric(rule)], ends, 0),
    scene("tracked", [CLOSED_HOST, tracked(rule)], ends, 1),
    scene("untracked, and no way back", [CLOSED_HOST, untracked(rule)], lost, 0, "untracked-reply-denied"),
    scene(
      "untracked, and the way back tracked",
      [OPEN_HOST, untracked(rule)],
      half.ends,
      half.entries,
      "half-tracked-flow",
    ),
  ];
}

import type { Document, PolicyNode, RuleNode } from "../language/ast.ts";
import type { Log } from "../source/finding.ts";
import type { Span } from "../source/source.ts";
import { checkMatch } from "./check-match.ts";
import { resolveMatch } from "./match.ts";
import { mirrorsOf } from "./mirror.ts";
import { declareNames, type Names } from "./names.ts";
import { resolveNat } from "./nat.ts";
import type { AddressSet, Policy, Rule } from "./policy.ts";

/**
 * Resolves every name to what it stands for and writes out the mirrors of `symmetricAllow`. After this pass no name is
 * left in a rule. What is wrong goes to the log; a rule with an error is left out of the result.
 */
export function resolve(document: Document, log: Log): Policy {
  const names = declareNames(document, log);
  const self = resolveSelf(document, names, log);
  const nat = resolveNat(document.nat, names, self, log);
  return {
    source: document.source,
    rules: document.policies.flatMap((policy) => resolvePolicy(policy, names, self, log)),
    ...nat,
    defaults: document.defaults,
    essentials: document.essentials,
    self,
  };
}

function resolveSelf(document: Document, names: Names, log: Log): AddressSet | null {
  if (!document.hostAddresses) return null;
  const { isKnown, any, self, set } = names.addresses(document.hostAddresses);
  const wrong = document.hostAddresses.find(({ kind }) => kind === "any" || kind === "self");
  const first = wrong ?? document.hostAddresses[0];
  if (isKnown && (any || self) && first)
    log.report({
      check: "host-addresses",
      level: "error",
      message: "`host.addresses` says what `self` is, so it cannot be `any` or `self` again",
      span: first.span,
      help: "list this host's own addresses, or leave `host:` out: `self` is then whatever the kernel delivers here",
    });
  // What `self` is cannot be told then, and rules about it are not to blame.
  return isKnown && !any && !self ? set : null;
}

function resolvePolicy(policy: PolicyNode, names: Names, self: AddressSet | null, log: Log): Rule[] {
  if (policy.symmetricAllow && !policy.doNotTrack)
    log.report({
      check: "symmetric-tracked",
      level: "error",
      message: `\`symmetricAllow\` has no place in the tracked policy \`${policy.name.text}\``,
      span: policy.symmetricAllowSpan ?? policy.name.span,
      help: "take it out: replies of tracked flows are allowed by their state; or add `doNotTrack: true`",
    });
  return policy.rules.flatMap((node) => resolveRule(node, policy, names, self, log));
}

function resolveRule(
  node: RuleNode,
  policy: PolicyNode,
  names: Names,
  self: AddressSet | null,
  log: Log,
): Rule[] {
  if (policy.doNotTrack && node.action === "reject") reportUntrackedReject(node.actionSpan, policy, log);
  const match = resolveMatch(node, names, log);
  if (!match || !checkMatch(match, node, self, log)) return [];
  const rule: Rule = {
    action: node.action,
    tracked: !policy.doNotTrack,
    match,
    limit: node.limit && { count: node.limit.count, unit: node.limit.unit, burst: node.limit.burst },
    log: node.log?.prefix ?? null,
    origin: { policy: policy.name.text, span: node.span, role: "written" },
  };
  return [rule, ...mirrorsOf(rule, policy.symmetricAllow)];
}

/** The raw table has no REJECT target, and a packet that conntrack never saw has no flow to answer in. */
function reportUntrackedReject(span: Span, policy: PolicyNode, log: Log): void {
  log.report({
    check: "untracked-reject",
    level: "error",
    message: `a \`doNotTrack\` policy cannot reject: its denies act before connection tracking, where iptables can only drop`,
    span,
    related: policy.doNotTrackSpan
      ? [{ span: policy.doNotTrackSpan, text: `\`${policy.name.text}\` is not tracked` }]
      : [],
    help: "write `deny`, or move the rule to a tracked policy",
    fix: { title: "write `deny`", edits: [{ span, text: "deny" }], safe: false },
  });
}

import { analyse, outputsOf } from "../../src/compile.ts";
import { ownScripts } from "../../src/verify/scripts.ts";
import { verify } from "../../src/verify/verify.ts";

/**
 * What verify says of the scripts of a policy, all three of them; null for a policy that the compiler refuses. `withSets`:
 * those for iptables ask sets.
 */
export function differencesOf(text: string, withSets = false): readonly string[] | null {
  const { policy, words } = analyse({ name: "policy.yaml", text }, { read: () => ({ error: "no files" }) });
  if (!policy || !words) return null;
  const { nft, iptables, ip6tables, ipset } = outputsOf(policy, withSets);
  const texts = { nft: nft(), iptables: iptables(), ip6tables: ip6tables() };
  const scripts = ownScripts(withSets ? { ...texts, ipset: ipset() } : texts);
  return verify(policy, scripts, words).findings.map(
    ({ message, notes = [], span }) => `${span.source.name}: ${message}\n${notes.join("\n")}`,
  );
}

import { analyse, outputsOf } from "../../src/compile.ts";
import { ownScripts } from "../../src/verify/scripts.ts";
import { verify } from "../../src/verify/verify.ts";

/** What verify says of the scripts of a policy, all three of them; null for a policy that the compiler refuses. */
export function differencesOf(text: string): readonly string[] | null {
  const { policy, words } = analyse({ name: "policy.yaml", text }, { read: () => ({ error: "no files" }) });
  if (!policy || !words) return null;
  const { nft, iptables, ip6tables } = outputsOf(policy);
  const scripts = ownScripts({ nft: nft(), iptables: iptables(), ip6tables: ip6tables() });
  return verify(policy, scripts, words).findings.map(
    ({ message, notes = [], span }) => `${span.source.name}: ${message}\n${notes.join("\n")}`,
  );
}

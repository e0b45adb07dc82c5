import type { Family, Range } from "../address/ranges.ts";
import type { Extras } from "../meaning/world.ts";
import type { ScriptMatch, ScriptRuleset } from "../netfilter/script.ts";
import type { Interfaces } from "../policy/policy.ts";
import { isDeliveredTest } from "./tests.ts";

/** Everything that the tests of scripts can tell apart, so that a world can be made in which they are exact. */
export function extrasOf(
  scripts: readonly { readonly ruleset: ScriptRuleset; readonly families: readonly Family[] }[],
): Required<Extras> & { readonly deliveries: boolean } {
  const ports = new Set<readonly Range<number>[]>();
  const addresses = { 4: new Set<readonly Range<bigint>[]>(), 6: new Set<readonly Range<bigint>[]>() };
  const values = new Set<number>();
  const protocols = new Set<number>();
  const devices = new Set<string>();
  let deliveries = false;
  const note = (match: ScriptMatch, families: readonly Family[]): void => {
    switch (match.kind) {
      case "address":
        addresses[match.family].add(match.ranges);
        return;
      case "port":
        ports.add(match.ports);
        return;
      case "icmp":
        for (const { type, code } of match.types) {
          values.add(type);
          if (code !== null) values.add(code);
        }
        return;
      case "protocol":
        for (const protocol of match.protocols) protocols.add(protocol);
        return;
      case "interface":
        // `*` alone is every device, which needs no telling apart.
        for (const device of match.devices) if (device !== "*" && device !== "") devices.add(device);
        return;
      case "address-type":
        deliveries ||= match.side === "destination" && !families.every((one) => isDeliveredTest(match, one));
        return;
      default:
        return;
    }
  };
  for (const { ruleset, families } of scripts)
    for (const { rules } of ruleset.chains)
      for (const { matches } of rules) for (const match of matches) note(match, families);
  const single = (value: number): Range<number> => ({ first: value, last: value });
  const named: Interfaces = { negated: false, devices: [...devices] };
  return {
    ports: [...[...ports].flat(), ...[...values].map(single)],
    addresses: { 4: [...addresses[4]].flat(), 6: [...addresses[6]].flat() },
    protocols,
    devices: [named],
    deliveries,
  };
}

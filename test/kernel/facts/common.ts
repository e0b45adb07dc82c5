import type { Counts, ProbeState } from "../probe.ts";

export const FAMILIES = [4, 6] as const;

/** Matches ICMP errors, in nft's words: those that path-MTU discovery and traceroute need, and port-unreachable. */
export const ERRORS = {
  4: "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
  6: "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
} as const;

/** Leaves UDP and TCP port 7000 untracked, both ways, as a policy with `doNotTrack` and `symmetricAllow` does. */
export const UNTRACKED = `table inet raw7000 {
  chain prerouting {
    type filter hook prerouting priority -300
    meta l4proto { tcp, udp } th dport 7000 notrack
    meta l4proto { tcp, udp } th sport 7000 notrack
  }
  chain output {
    type filter hook output priority -300
    meta l4proto { tcp, udp } th dport 7000 notrack
    meta l4proto { tcp, udp } th sport 7000 notrack
  }
}
`;

/** A script that leaves what matches untracked in prerouting only: half a flow. */
export function untrackedOnArrival(match: string): string {
  return `table inet half {\n chain c {\n type filter hook prerouting priority -300\n ${match} notrack\n }\n}\n`;
}

/** What a probe reads that saw packets of one state only. */
export function counted(state: ProbeState, all = 1): Counts {
  return { all, new: 0, established: 0, related: 0, invalid: 0, untracked: 0, [state]: all };
}

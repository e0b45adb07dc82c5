import type { AddressType, Match } from "../netfilter/ruleset.ts";
import type { Path } from "../policy/packet.ts";
import { LOOPBACK } from "../policy/packet.ts";

/** What a hook can see of a packet's path: which paths pass it, and which tests tell some of them from the others. */
export interface HookView {
  readonly paths: readonly Path[];
  /** The interfaces that the kernel knows there. On loopback both are known to be `lo` anyway. */
  readonly knows: { readonly in: boolean; readonly out: boolean };
  /** What is on loopback may be seen with another way out, so that `out` must not be asked of it. */
  readonly strays?: boolean;
  /**
   * The end whose address, and nothing else, decides the path here. Where a policy lists this host's addresses, a test
   * for them settles the path as well.
   */
  readonly pathEnd: "source" | "destination" | null;
  /** Tests for packets on one of `paths`, a line for each alternative. Empty lists mean: no test is needed. */
  readonly tell: (paths: readonly Path[]) => readonly (readonly Match[])[];
}

/** What routing says of a destination that is delivered to this host. */
const DELIVERED: readonly AddressType[] = ["local", "broadcast", "anycast", "multicast"];

export const onLoopback = (negated: boolean): Match => ({
  kind: "interface",
  side: "out",
  devices: [LOOPBACK],
  negated,
});
const delivered = (negated: boolean): Match => ({
  kind: "address-type",
  side: "destination",
  types: DELIVERED,
  negated,
});
const sentFromHere = (negated: boolean): Match => ({
  kind: "address-type",
  side: "source",
  types: ["local"],
  negated,
});

const noTest = (): readonly (readonly Match[])[] => [[]];

/** Before routing nothing but the destination tells input from forward. */
export const PREROUTING: HookView = {
  paths: ["input", "forward"],
  knows: { in: true, out: false },
  pathEnd: "destination",
  tell: (paths) => (paths.length === 2 ? [[]] : [[delivered(paths[0] === "forward")]]),
};

/** Before routing, where it makes no difference what becomes of a packet that is forwarded: all may count as delivered here. */
export const RECEIVED: HookView = { ...PREROUTING, paths: ["input"], tell: noTest };

/** What this host sends, in the raw and NAT tables. */
export const OUTPUT: HookView = {
  paths: ["output", "loopback"],
  knows: { in: false, out: true },
  pathEnd: null,
  tell: (paths) => (paths.length === 2 ? [[]] : [[onLoopback(paths[0] === "output")]]),
};

const toThisHost = (negated: boolean): Match => ({
  kind: "address-type",
  side: "destination",
  types: ["local", "anycast"],
  negated,
});

/**
 * What this host sends, in the filter, where destination NAT may have changed where it goes. The kernel goes on showing
 * the device from before, so it takes the destination to tell what stays on loopback and what comes back to it.
 */
export const TRANSLATED_OUTPUT: HookView = {
  ...OUTPUT,
  strays: true,
  tell(paths) {
    if (paths.length === 2) return [[]];
    const isOutput = paths[0] === "output";
    return [
      [onLoopback(false), delivered(isOutput)],
      [onLoopback(true), toThisHost(isOutput)],
    ];
  },
};

/** What is delivered here, in the filter. Loopback is judged once, when it is sent. */
export const FILTER_INPUT: HookView = {
  paths: ["input"],
  knows: { in: true, out: false },
  pathEnd: null,
  tell: noTest,
};

/** What is passed on, in the filter: after routing, so both interfaces are known. */
export const FILTER_FORWARD: HookView = {
  paths: ["forward"],
  knows: { in: true, out: true },
  pathEnd: null,
  tell: noTest,
};

/** What stays on this host, in a chain to which nothing else is sent. */
export const LOOPED_OUTPUT: HookView = { ...OUTPUT, paths: ["loopback"], tell: noTest };

/** What this host sends to others, in a chain that loopback does not come to. */
export const FILTER_OUTPUT: HookView = { ...OUTPUT, paths: ["output"], tell: noTest };

/**
 * Source NAT asks only where a packet goes. iptables does not offer the arrival interface here, so a local source
 * address is what tells sent from forwarded.
 */
export const POSTROUTING: HookView = {
  paths: ["forward", "output", "loopback"],
  knows: { in: false, out: true },
  pathEnd: "source",
  tell(paths) {
    const has = (path: Path): boolean => paths.includes(path);
    if (paths.length === 3) return [[]];
    if (has("output") && has("loopback")) return [[sentFromHere(false)]];
    if (has("forward") && has("output")) return [[onLoopback(true)]];
    return paths.map((path) => {
      switch (path) {
        case "forward":
          return [sentFromHere(true)];
        case "output":
          return [sentFromHere(false), onLoopback(true)];
        default:
          return [onLoopback(false)];
      }
    });
  },
};

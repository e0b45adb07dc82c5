import type { Family } from "../../../src/address/ranges.ts";
import type { Flow } from "../lab.ts";
import { packetHex, TCP } from "../packets.ts";
import { NARROW } from "../topologies.ts";
import {
  BULK,
  CROWD,
  FLOOD,
  FLOOD_PORTS,
  further,
  SERVED,
  type Speaker,
  type Talk,
  TRACED,
} from "./stage.ts";

/** The address by which a host is spoken to, and by which a router names itself to the side that asks. */
const ADDRESS: Readonly<Record<Speaker, Readonly<Record<Family, readonly string[]>>>> = {
  left: { 4: [NARROW.left[4]], 6: [NARROW.left[6]] },
  near: { 4: ["10.2.0.254", "10.3.0.1"], 6: ["2001:db8:2::fe", "2001:db8:3::1"] },
  far: { 4: ["10.1.2.254", "10.3.0.2"], 6: ["2001:db8:1::fe", "2001:db8:3::2"] },
  right: { 4: [NARROW.right[4]], 6: [NARROW.right[6]] },
};

const addressOf = (name: Speaker, family: Family): string => ADDRESS[name][family][0]!;

const CROWD_NUMBERS = Array.from({ length: CROWD }, (_, i) => i + 1);

/** Which host an address belongs to; `silence` where nobody spoke. */
function nameOf(address: string | null, family: Family): string {
  if (address === null) return "silence";
  const known = Object.entries(ADDRESS).find(([, of]) => of[family].includes(address));
  const isOneOf = (end: End): boolean => CROWD_NUMBERS.some((n) => further(end, n, family) === address);
  return known?.[0] ?? ENDS.find(isOneOf) ?? address;
}

/** The ends that a conversation begins at. */
const ENDS = ["left", "right"] as const;
type End = (typeof ENDS)[number];
const other = (end: End): End => (end === "left" ? "right" : "left");

/** One TCP connection from its handshake to its close, or one datagram and its answer; how it ended. */
export function exchange(
  protocol: Flow["protocol"],
  from: End,
  { port = SERVED, ...more }: Pick<Partial<Flow>, "port" | "fromPort" | "size"> = {},
): Talk {
  return async ({ net, family, patience }) => {
    const flow = { protocol, to: addressOf(other(from), family), port, timeout: patience, ...more };
    return (await net[from].ask(flow)).outcome;
  };
}

/** The same between two processes of `left`. */
export function exchangeWithin(protocol: Flow["protocol"], more: Pick<Partial<Flow>, "fromPort"> = {}): Talk {
  return async ({ net, family, patience }) => {
    const own = addressOf("left", family);
    const flow = { protocol, to: own, port: SERVED, from: own, timeout: patience, ...more };
    return (await net.left.ask(flow)).outcome;
  };
}

/**
 * A datagram that travels in fragments. The first one may be too large for the narrow hop, which says so to its sender;
 * the second of the same flow, if it is asked for, is cut to measure.
 */
export function fragments(from: End): Talk {
  const once = exchange("udp", from, { size: 4000, fromPort: 20_007 });
  return async (stage) => {
    const first = await once({ ...stage, patience: 0.3 });
    return first === "answered" ? first : once(stage);
  };
}

/** Whether an echo request is answered. */
export function ping(from: End): Talk {
  return async ({ net, family, patience }) =>
    (await net[from].ping(addressOf(other(from), family), patience)) ? "answered" : "silence";
}

/** Who tells of itself on the way to the other end: three hops. */
export function traceroute(from: End): Talk {
  return async ({ net, family, patience }) => {
    const to = addressOf(other(from), family);
    const found = await net[from].hops(to, TRACED, 3, patience);
    return found.map((address) => nameOf(address, family));
  };
}

/** How many bytes of a large answer arrive through the narrow hop. */
export function download(from: End): Talk {
  return ({ net, family, patience, turn }) =>
    net[from].download({
      protocol: "tcp",
      // Each end remembers how large a packet to an address of the other may be.
      to: further(other(from), turn, family),
      port: BULK.port,
      from: further(from, turn, family),
      timeout: patience,
    });
}

/** Connections that `right` opens and never goes on with: how many are answered. */
export const flood: Talk = async ({ net, family, turn }) => {
  // Of the scenes before, answers are still repeated.
  const ports = Array.from({ length: FLOOD }, (_, i) => FLOOD_PORTS.first + turn * FLOOD + i);
  const packets = ports.map((sourcePort, i) =>
    packetHex({
      source: further("right", (i % CROWD) + 1, family),
      destination: addressOf("left", family),
      content: { kind: "tcp", sourcePort, destinationPort: SERVED, flags: ["syn"] },
    }),
  );
  const seen = await net.right.capture("eth0", () => net.right.send(packets));
  const answered = seen.flatMap(({ sent, packet: { protocol, flags, destinationPort } }) =>
    !sent && protocol === TCP && flags.join() === "syn,ack" ? [destinationPort] : [],
  );
  return { answered: ports.filter((port) => answered.includes(port)).length };
};

/**
 * Flows of a crowd, open at one moment, that all come from one source port: how many are answered, and by which ends they
 * are known there. With `again`, those that hear nothing ask once more, as a resolver would.
 */
export function crowd(protocol: Flow["protocol"], fromPort: number, again = false): Talk {
  return async ({ net, family, patience }) => {
    const flows = Array.from(
      { length: CROWD },
      (_, i): Flow => ({
        protocol,
        to: addressOf("right", family),
        port: SERVED,
        from: further("left", i + 1, family),
        fromPort,
        timeout: patience,
      }),
    );
    const first = await net.left.askTogether(flows);
    const silent = flows.filter((_, i) => first[i]!.outcome === "silence");
    const endings =
      again && silent.length > 0
        ? [...first.filter(({ outcome }) => outcome !== "silence"), ...(await net.left.askTogether(silent))]
        : first;
    const peers = endings.flatMap((end) => (end.outcome === "answered" ? [end.peer] : []));
    return {
      answered: peers.length,
      silence: endings.filter(({ outcome }) => outcome === "silence").length,
      knownAs: [...new Set(peers.map(([address]) => nameOf(address, family)))],
      apart: new Set(peers.map(String)).size,
      kept: peers.filter(([, port]) => port === fromPort).length,
    };
  };
}

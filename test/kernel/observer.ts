import type { Host } from "./lab.ts";
import { type Packet, parsePacket, tagOf } from "./packets.ts";

/**
 * A table of its own that logs each packet of a host where it is to be seen, and changes the way of none that is tagged:
 * before raw, after raw, and where it leaves the last hook that may drop or translate it, with its state.
 *
 * What the host says by itself is logged and goes no further, because it would change the state of the flows that are
 * looked at: answers of `reject`, and those of the host's own protocols to what was delivered.
 */
export interface Sighting {
  /** It came to the first hook of its path. */
  readonly arrived: boolean;
  /** It was not dropped in the raw table. */
  readonly passedRaw: boolean;
  /** Where it was seen last, all rules behind it; null where it was dropped. */
  readonly end: End | null;
  /** The state in which it left on loopback. */
  readonly sent: ObservedState | null;
  /** What the host told the sender. */
  readonly answer: "reset" | "icmp" | null;
}

export interface End {
  readonly path: "input" | "forward" | "output" | "loopback";
  readonly out: string | null;
  readonly state: ObservedState;
  /** As it is then, after NAT. */
  readonly packet: Packet;
}

const STATES = ["new", "established", "related", "invalid", "untracked"] as const;
export type ObservedState = (typeof STATES)[number];

/** The nflog group of the observer. */
export const OBSERVED = 5;
/** The mark of what the host sends as part of an experiment. */
export const MINE = 7;
/** Tags of the packets that end a volley, one for each device and loopback: the first is the smallest tag that is taken. */
export const SENTINELS = [0xfff0, 0xfff1, 0xfff2, 0xfff3] as const;

/** The hooks by the numbers that the log gives. */
const HOOKS = ["prerouting", "input", "forward", "output", "postrouting"] as const;

const log = (prefix: string) => `log prefix "${prefix}" group ${OBSERVED}`;
const END = STATES.map((state) => `ct state ${state} ${log(state)}`);

/** Chains at priorities around those of the tables under test: raw -300, tracking -200, filter 0, source NAT 100. */
const CHAINS: readonly {
  readonly hook: string;
  readonly priority: number;
  readonly rules: readonly string[];
}[] = [
  {
    hook: "prerouting",
    priority: -301,
    rules: [`ip id >= ${SENTINELS[0]} ${log("end")} drop`, log("arrived")],
  },
  { hook: "prerouting", priority: -299, rules: [log("raw")] },
  {
    hook: "output",
    priority: -301,
    rules: [`meta mark != ${MINE} ${log("answer")} drop`, log("arrived")],
  },
  { hook: "output", priority: -299, rules: [log("raw")] },
  { hook: "input", priority: 110, rules: END },
  { hook: "postrouting", priority: 110, rules: END },
];

/** Puts the observer beside whatever ruleset a host has, and begins to read. */
export async function installObserver(host: Host): Promise<void> {
  const chains = CHAINS.map(
    ({ hook, priority, rules }, i) =>
      `chain at-${i} {\n type filter hook ${hook} priority ${priority};\n${rules.join("\n")}\n}`,
  );
  await host.run(["nft", "-f", "-"], `table inet observer {\n${chains.join("\n")}\n}\n`);
  await host.operate("watch", { group: OBSERVED });
}

/** Prefix, hook, the device that it arrived on and the one that it leaves by, the packet's first bytes in hexadecimal. */
type LogLine = readonly [string, number, string | null, string | null, string];

/** What became of each packet of a volley, by its tag. */
export async function watched(host: Host, timeout: number): Promise<ReadonlyMap<number, Sighting>> {
  const lines = (await host.operate("watched", { group: OBSERVED, ends: SENTINELS, timeout })) as LogLine[];
  const sightings = new Map<number, Sighting>();
  for (const [prefix, number, incoming, out, hex] of lines) {
    const bytes = Buffer.from(hex, "hex");
    const tag = prefix === "answer" ? answeredTag(bytes) : tagOf(bytes);
    if (tag === null || tag >= SENTINELS[0]) continue;
    const known = sightings.get(tag) ?? {
      arrived: false,
      passedRaw: false,
      sent: null,
      end: null,
      answer: null,
    };
    sightings.set(tag, {
      ...known,
      ...seen(known, prefix, HOOKS[number]!, incoming, out, parsePacket(bytes)),
    });
  }
  return sightings;
}

function seen(
  known: Sighting,
  prefix: string,
  hook: (typeof HOOKS)[number],
  incoming: string | null,
  out: string | null,
  packet: Packet,
): Partial<Sighting> {
  switch (prefix) {
    case "arrived":
      return { arrived: true };
    case "raw":
      return { passedRaw: true };
    case "answer":
      return { answer: packet.icmp ? "icmp" : "reset" };
    default:
      // What leaves on `lo` has the second half of its way before it.
      if (hook === "postrouting" && out === "lo") return { sent: prefix as ObservedState };
      return { end: endOf(known, hook, incoming, out, prefix as ObservedState, packet) };
  }
}

function endOf(
  known: Sighting,
  hook: (typeof HOOKS)[number],
  incoming: string | null,
  out: string | null,
  state: ObservedState,
  packet: Packet,
): End | null {
  if (hook === "input" && incoming === "lo")
    // Loopback is judged when it leaves. What tracking calls INVALID it looks at again when it comes in, and raw with it.
    return known.sent && { path: "loopback", out, state: known.sent, packet };
  if (hook === "input") return { path: "input", out, state, packet };
  return { path: incoming === null ? "output" : "forward", out, state, packet };
}

/** TCP sequence numbers are the tag times this, so that a reset tells it. */
export const SEQUENCE = 256;

/** The tag of the packet that an answer is about; null where the host speaks of something else. */
function answeredTag(bytes: Buffer): number | null {
  const { family, icmp, flags } = parsePacket(bytes);
  const upper = family === 4 ? 20 : 40;
  if (icmp) return isError(family, icmp.type) ? tagOf(bytes.subarray(upper + 8)) : null;
  if (!flags.includes("rst")) return null;
  // A reset takes its number from an acknowledgement, or acknowledges what it resets.
  const number = bytes.readUInt32BE(upper + (flags.includes("ack") ? 8 : 4));
  return Math.floor(number / SEQUENCE);
}

function isError(family: 4 | 6, type: number): boolean {
  return family === 4 ? type === 3 : type === 1;
}

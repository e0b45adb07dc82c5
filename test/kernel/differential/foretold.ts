import { TCP } from "../../../src/policy/packet.ts";
import { head, lintText } from "../../lint/support.ts";
import { policyOf } from "../../support/policy.ts";
import type { Crossroads } from "../crossroads.ts";
import type { End, Sighting } from "../observer.ts";
import { injection, parseShot, type Shot } from "./shots.ts";

/** The host of the crossroads, in a policy. */
export const HOST = head('host: { addresses: [10.0.0.1, "fd00::1"] }');

/** What a finding prints: its packet, the reply to it, and what it says will happen. */
export interface Told {
  readonly packet: Shot;
  readonly reply: Shot | null;
  readonly notes: string;
}

/** The first finding of a check about a policy. Where it prints two packets, `which` says whose reply is meant. */
export function told(text: string, check: string, which: 0 | -1): Told {
  const finding = lintText(text).find((one) => one.check === check);
  if (!finding) throw new Error(`${check} is silent about\n${text}`);
  const notes = (finding.notes ?? []).join("\n");
  const shotAfter = (word: string): Shot | null => {
    const lines = [...notes.matchAll(new RegExp(`^${word}: +(.*?)(?: {2}\\(.*\\))?$`, "gm"))];
    const line = lines.at(which)?.[1];
    return line === undefined ? null : parseShot(line, policyOf(text).self);
  };
  const packet = shotAfter("packet");
  if (!packet) throw new Error(`${check} prints no packet`);
  const reply = shotAfter("reply");
  return { packet, reply: reply && withFlags(reply, packet), notes };
}

/** A SYN is answered by a SYN-ACK, everything else by an acknowledgement. */
function withFlags(reply: Shot, { packet }: Shot): Shot {
  if (packet.protocol !== TCP) return reply;
  return { ...reply, flags: packet.opening ? ["syn", "ack"] : ["ack"] };
}

/** The identifier of echoes here, so that a reply has that of its request. */
const IDENTIFIER = 77;

/** Sends packets one after the other, and tells what became of each. */
export async function sendInTurn(net: Crossroads, shots: readonly Shot[]): Promise<readonly Sighting[]> {
  const seen: Sighting[] = [];
  for (const [i, shot] of shots.entries())
    seen.push((await net.volley([injection({ ...shot, identifier: IDENTIFIER }, i + 1)])).get(i + 1)!);
  return seen;
}

export const endOf = ({ end }: Sighting): End | null => end;

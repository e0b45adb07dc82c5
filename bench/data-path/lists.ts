import type { Random } from "../random.ts";
import { seededRandom } from "../random.ts";

/** UDP from some clients to a port of this host. */
export interface Sentence {
  readonly action: "allow" | "deny";
  readonly client: Prefix;
  readonly port: number;
}

/** IPv4. */
export interface Prefix {
  readonly first: number;
  readonly length: number;
}

/** Sentences in the order of the policy, of which the first that matches decides; and clients that one of them allows. */
export interface List {
  readonly sentences: readonly Sentence[];
  readonly flows: readonly Flow[];
}

export interface Flow {
  readonly client: number;
  readonly clientPort: number;
  readonly port: number;
}

/** Flows that take turns: enough to make each lookup another one, few enough to bind a socket for each. */
const FLOWS = 256;

/** What is measured, by name. The same count gives the same list. */
export const LISTS = { services, clients, prefixes } as const satisfies Record<
  string,
  (count: number) => List
>;

export type ListName = keyof typeof LISTS;

/** A port of the same wide network each. Where the ports run out, of the next network. */
function services(count: number): List {
  const random = seededRandom(1);
  const sentences = Array.from({ length: count }, (_, at): Sentence => {
    const network = Math.floor(at / 60_000);
    return {
      action: "allow",
      client: { first: (10 + network) * 2 ** 24, length: 8 },
      port: 1024 + (at % 60_000),
    };
  });
  return { sentences, flows: flowsOf(sentences, random) };
}

/** What most large rule sets are: each client, a small network, may reach its port. */
function clients(count: number): List {
  const random = seededRandom(2);
  const sentences = Array.from(
    { length: count },
    (): Sentence => ({ action: "allow", client: prefix(random, 28), port: 1024 + random.integer(60_000) }),
  );
  return { sentences, flows: flowsOf(sentences, random) };
}

/** Prefixes of many lengths for one port, each with an exception that stands before it. */
function prefixes(count: number): List {
  const random = seededRandom(3);
  const sentences: Sentence[] = [];
  for (let at = 0; at < count; at += 2) {
    const wide = prefix(random, 12 + random.integer(13));
    const bits = wide.length + 2 + random.integer(31 - wide.length);
    const inside = {
      first: wide.first + random.integer(2 ** (bits - wide.length)) * 2 ** (32 - bits),
      length: bits,
    };
    sentences.push(
      { action: "deny", client: inside, port: 5300 },
      { action: "allow", client: wide, port: 5300 },
    );
  }
  return { sentences: sentences.slice(0, count), flows: flowsOf(sentences, random) };
}

/** A prefix of unicast addresses that the cable itself does not use. */
function prefix(random: Random, length: number): Prefix {
  const size = 2 ** (32 - length);
  const network = 11 + random.integer(100);
  return { first: network * 2 ** 24 + Math.floor(random.integer(2 ** 24) / size) * size, length };
}

/** Packets that some sentences allow, from all over the list. */
function flowsOf(sentences: readonly Sentence[], random: Random): readonly Flow[] {
  if (sentences.length === 0) return [];
  const flows: Flow[] = [];
  while (flows.length < FLOWS) {
    const { client, port } = random.pick(sentences);
    const flow = {
      client: client.first + random.integer(2 ** (32 - client.length)),
      clientPort: 1024 + random.integer(60_000),
      port,
    };
    if (decides(sentences, flow)?.action === "allow") flows.push(flow);
  }
  return flows;
}

function decides(sentences: readonly Sentence[], { client, port }: Flow): Sentence | undefined {
  return sentences.find(
    (one) =>
      one.port === port &&
      client >= one.client.first &&
      client < one.client.first + 2 ** (32 - one.client.length),
  );
}

export function printClient(address: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}

export function printPrefix({ first, length }: Prefix): string {
  return `${printClient(first)}/${length}`;
}

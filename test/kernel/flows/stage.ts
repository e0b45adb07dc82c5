import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Family } from "../../../src/address/ranges.ts";
import { file, head, lintText, type Section, tracked } from "../../lint/support.ts";
import { policyOf } from "../../support/policy.ts";
import { BACKENDS, type Backend, load } from "../backends.ts";
import { entriesOf } from "../conntrack.ts";
import { scriptsOf } from "../differential/run.ts";
import { describeKernel } from "../requirements.ts";
import { NARROW, type NarrowPath, narrowPath } from "../topologies.ts";

/** The hosts of a stage, from one end to the other. `left` and `near` are tested; between `near` and `far` it is narrow. */
export const HOSTS = ["left", "near", "far", "right"] as const;
export type Speaker = (typeof HOSTS)[number];

/** What a conversation knows of the stage that it is held on. */
export interface Stage {
  readonly net: NarrowPath;
  readonly family: Family;
  /** Seconds to wait for what may come. */
  readonly patience: number;
  /** Which scene of its story this is, counted on from story to story of the same kind: hosts remember some things. */
  readonly turn: number;
}

/** A conversation, which tells how it ended. */
export type Talk = (stage: Stage) => Promise<unknown>;

/** A policy, and what becomes of the conversation under it. */
export interface Scene {
  readonly title: string;
  readonly policy: readonly Section[];
  /** The error by which the compiler refuses the policy: it is loaded all the same, because its failure is the control. */
  readonly refused?: string;
  readonly ends: unknown;
  /** Connection-tracking entries that are left, of each family. */
  readonly entries: number;
}

/** One conversation under several policies. In one of them at least it ends otherwise than in the first. */
export interface Story {
  readonly title: string;
  readonly talk: Talk;
  readonly scenes: readonly Scene[];
}

/** Seconds in which what comes at all has come many times over, and seconds that suffice on a machine that is busy. */
const BRIEF = 0.4;
const AMPLE = 5;

export const FAMILIES = [4, 6] as const;

/** Ports on which `left` and `right` answer: with who asked, and with as many bytes as do not fit into a packet. */
export const SERVED = 7000;
export const BULK = { port: 7001, bytes: 50_000 } as const;
/** A port that a policy opens and on which nobody listens. */
export const CLOSED = 7008;

/** The port that traceroute asks. */
export const TRACED = 33_434;
/** Connections of a flood, and the ports from which they are opened, some for each scene. */
export const FLOOD = 300;
export const FLOOD_PORTS = { first: 10_000, last: 19_999 } as const;

/** Addresses that the ends have beside their own, to speak from. */
export const CROWD = 40;

/** The nth further address of an end, from 1. */
export function further(end: "left" | "right", n: number, family: Family): string {
  const [four, six] = end === "left" ? ["10.2.0", "2001:db8:2"] : ["10.1.2", "2001:db8:1"];
  return family === 4 ? `${four}.${100 + n}` : `${six}::1:${n}`;
}

/** Answers are not rationed: every scene would have to wait for the one before. */
const SETTINGS = {
  "net.ipv4.icmp_ratelimit": 0,
  "net.ipv6.icmp.ratelimit": 0,
  "net.ipv4.icmp_msgs_per_sec": 1_000_000,
  "net.ipv4.icmp_msgs_burst": 1_000_000,
};

async function build(): Promise<NarrowPath> {
  const net = await narrowPath();
  await Promise.all(HOSTS.map((name) => net[name].sysctl(SETTINGS)));
  for (const end of ["left", "right"] as const) {
    const addresses = Array.from({ length: CROWD }, (_, i) => [
      `address add ${further(end, i + 1, 4)}/32 dev eth0`,
      `address add ${further(end, i + 1, 6)}/128 dev eth0 nodad`,
    ]);
    await net[end].ip(...addresses.flat());
    for (const family of FAMILIES)
      for (const protocol of ["tcp", "udp"] as const)
        await net[end].serve(protocol, NARROW[end][family], SERVED);
    // On all addresses of both families.
    await net[end].serve("tcp", "::", BULK.port, BULK.bytes);
  }
  await net.right.run(["nft", "-f", "-"], SILENT_FLOOD);
  return net;
}

/** Keeps `right` from resetting the connections of a flood, of which its kernel knows nothing. */
const SILENT_FLOOD = `table inet flood {
  chain output {
    type filter hook output priority 0
    tcp sport ${FLOOD_PORTS.first}-${FLOOD_PORTS.last} tcp flags & rst == rst drop
  }
}
`;

/** Hosts that may have a policy. */
const UNDER_TEST = ["left", "near"] as const;
type UnderTest = (typeof UNDER_TEST)[number];

/** A conversation stands once in each table, with fewer scenes than lie between these. */
const FIRST_TURN: Readonly<Record<UnderTest, number>> = { left: 1, near: 11 };

/** Tells stories, each with its policies on one host: every scene under all backends and in both families at once. */
export function tell(tables: Readonly<Record<UnderTest, readonly Story[]>>): void {
  test.each(UNDER_TEST.flatMap((under) => tables[under]))("of $title there is a control", ({ scenes }) => {
    const [first, ...others] = scenes.map(({ ends, entries }) => JSON.stringify({ ends, entries }));
    expect(others.some((other) => other !== first)).toBe(true);
  });

  describeKernel("conversations", () => {
    const stages = new Map<Backend, NarrowPath>();

    beforeAll(async () => {
      await Promise.all(BACKENDS.map(async (backend) => stages.set(backend, await build())));
    });
    afterAll(() => Promise.all([...stages.values()].map(({ lab }) => lab.destroy())));

    for (const under of UNDER_TEST)
      describe(`with a policy on ${under}`, () => {
        // The next table has its policies on another host.
        afterAll(() =>
          Promise.all([...stages].map(([backend, net]) => load(net[under], backend, scriptsOf(OPEN_TO_ALL)))),
        );
        for (const { title, talk, scenes } of tables[under])
          describe(title, () => {
            test.each(scenes)("$title", (scene) =>
              play(scene, FIRST_TURN[under] + scenes.indexOf(scene), talk, under, stages),
            );
          });
      });
  });
}

const OPEN_TO_ALL = policyOf(
  file(head("defaults: { input: allow, forward: allow, output: allow }"), tracked("allow from any to any")),
);

/** Plays one scene on every stage, and holds how it ends against what it says. */
async function play(
  { policy, refused, ends, entries }: Scene,
  turn: number,
  talk: Talk,
  under: UnderTest,
  stages: ReadonlyMap<Backend, NarrowPath>,
): Promise<void> {
  const text = file(...policy);
  expect(errorsOf(text)).toEqual(refused === undefined ? [] : [refused]);
  const scripts = scriptsOf(policyOf(text));
  const patience = isSilent(ends) ? BRIEF : AMPLE;
  const played = [...stages].map(async ([backend, net]) => {
    const host = net[under];
    await load(host, backend, scripts);
    await host.operate("forget");
    const each = FAMILIES.map(async (family) => [
      `${backend}, IPv${family}`,
      {
        ends: await talk({ net, family, patience, turn }),
        entries: (await entriesOf(host, family)).map(shortly),
      },
    ]);
    return Promise.all(each);
  });
  const became = Object.fromEntries((await Promise.all(played)).flat());
  const left = Array.from({ length: entries }, () => expect.any(String));
  const expected = Object.keys(became).map((name) => [name, { ends, entries: left }]);
  expect(became).toEqual(Object.fromEntries(expected));
}

/** Checks that refuse a policy, each once. */
function errorsOf(text: string): readonly string[] {
  const errors = lintText(text).filter(({ level }) => level === "error");
  return [...new Set(errors.map(({ check }) => check))];
}

/** Whether somebody in the scene waits for what does not come. */
function isSilent(ends: unknown): boolean {
  return ends === 0 || JSON.stringify(ends).includes('"silence"');
}

/** An entry without its timeout. */
function shortly(entry: string): string {
  return entry.replace(/\s+/g, " ");
}

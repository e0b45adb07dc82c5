import type { Host } from "./lab.ts";

/** The states that a packet may be in where a probe stands. Before tracking has looked at it nft calls it invalid. */
const STATES = ["new", "established", "related", "invalid", "untracked"] as const;
export type ProbeState = (typeof STATES)[number];

export interface ProbePlan {
  readonly name: string;
  readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
  /** 10, after the filter table, unless told. */
  readonly priority?: number;
  /** What to count, in nft's words; every packet where it is empty. */
  readonly match: string;
}

/** How many packets a probe saw: all of them, and in each state. */
export type Counts = Readonly<Record<ProbeState | "all", number>>;

/**
 * Installs counters beside whatever ruleset a host has, in a table of their own, so that a test sees which state the
 * kernel gives to a packet at a hook. A drop at a smaller priority hides the packet from a probe.
 */
export async function installProbes(host: Host, plans: readonly ProbePlan[]): Promise<void> {
  const names = plans.flatMap(({ name }) => ["all", ...STATES].map((state) => `${name}-${state}`));
  const chains = plans.map(({ name, hook, priority = 10, match }) => {
    const states = STATES.map((state) => `${match} ct state ${state} counter name "${name}-${state}"`);
    const rules = [`${match} counter name "${name}-all"`, ...states];
    return `chain at-${name} {\n type filter hook ${hook} priority ${priority};\n${rules.join("\n")}\n}`;
  });
  const counters = names.map((name) => `counter ${name} {\n}`);
  await host.run(["nft", "-f", "-"], `table inet probe {\n${[...counters, ...chains].join("\n")}\n}\n`);
}

/** What a probe has counted since it was installed. */
export async function readProbe(host: Host, name: string): Promise<Counts> {
  const listed = JSON.parse(await host.run(["nft", "-j", "list", "counters", "table", "inet", "probe"])) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  const count = (state: string) =>
    listed.nftables.find(({ counter }) => counter?.name === `${name}-${state}`)?.counter?.packets ??
    Number.NaN;
  return Object.fromEntries(["all", ...STATES].map((state) => [state, count(state)])) as Counts;
}

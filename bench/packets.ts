/**
 * What rules cost a packet: `npm run bench:packets [-- --sizes 100,10000 --rounds 7 --lists clients,services]`, as root.
 *
 * One core sends UDP over a veth to a host with rules, in whose sockets the packets end; the veth delivers in place, so the
 * same core does all the work, and its processor time is what a packet costs. Rulesets of one size are all loaded at once,
 * each in a namespace of its own, and measured in turns. What else the machine does can only slow a turn down, so the figure
 * is the fastest one.
 */
import { parseArgs } from "node:util";
import { sweepNamespaces } from "../test/kernel/namespaces.ts";
import { type Cable, layCable } from "./data-path/cable.ts";
import { LISTS, type ListName } from "./data-path/lists.ts";
import {
  BACKENDS,
  type Backend,
  byHand,
  compiled,
  type Load,
  loadOf,
  stateful,
} from "./data-path/scripts.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "10,100,1000,10000,100000" },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "0.2" },
    lists: { type: "string", default: Object.keys(LISTS).join() },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const sizes = values.sizes.split(",").map(Number);
const names = values.lists.split(",") as ListName[];
/** Longer lists by hand take minutes to load, and let nothing through. */
const LONGEST_BY_HAND = 10_000;
/** Packets that are lost on the way for other reasons. */
const LOSS = 0.05;

interface Contender {
  readonly name: string;
  readonly backend: Backend | null;
  readonly rules: Load;
}

async function measure(title: string, size: number): Promise<void> {
  const list = LISTS[title as ListName](size);
  const scripts = compiled(list);
  const contenders: readonly Contender[] = [
    { name: "no rules", backend: null, rules: [] },
    ...BACKENDS.map((backend) => ({
      name: `${backend}, state only`,
      backend,
      rules: loadOf(backend, stateful(backend)),
    })),
    ...BACKENDS.map((backend) => ({ name: `${backend}, ctc`, backend, rules: scripts(backend, false) })),
    ...BACKENDS.filter((backend) => backend !== "nft").map((backend) => ({
      name: `${backend}, ctc, ipset`,
      backend,
      rules: scripts(backend, true),
    })),
    ...(size <= LONGEST_BY_HAND
      ? BACKENDS.map((backend) => ({
          name: `${backend}, line by line`,
          backend,
          rules: loadOf(backend, byHand(list, backend)),
        }))
      : []),
  ];
  console.log(`\n${title}, ${size} sentences\n`);
  console.log(
    cells("", "ns/packet", "packets/s", "of no rules", "of state only", "loading, s", "memory, MiB"),
  );
  const cables = new Map<Contender, Cable>();
  try {
    for (const contender of contenders) {
      const cable = await layCable(list.flows, contender.rules);
      if (cable) cables.set(contender, cable);
      else console.log(cells(contender.name, "not loaded after four minutes"));
    }
    const costs = new Map([...cables.keys()].map((contender) => [contender, [] as number[]]));
    for (let round = -1; round < rounds; round++)
      for (const [contender, cable] of cables) {
        const sent = await cable.send(seconds);
        // The first turn opens the flows. Where packets were lost, the other core was too busy to let them be handled.
        if (round >= 0 && sent.passed > 1 - LOSS)
          costs.get(contender)!.push((1e9 * sent.seconds) / sent.packets);
      }
    for (const [{ name }, turns] of costs)
      if (turns.length === 0) throw new Error(`${name}: packets did not come through`);
    const cost = (name: string): number =>
      Math.min(...([...costs].find(([contender]) => contender.name === name)?.[1] ?? []));
    for (const [contender, cable] of cables) {
      const own = cost(contender.name);
      const { load } = cable;
      console.log(
        cells(
          contender.name,
          own.toFixed(0),
          (1e9 / own).toFixed(0),
          ratio(cost("no rules") / own),
          contender.backend ? ratio(cost(`${contender.backend}, state only`) / own) : "",
          contender.backend ? load.seconds.toFixed(2) : "",
          load.memory?.toFixed(2) ?? "",
        ),
      );
    }
  } finally {
    for (const cable of cables.values()) await cable.destroy();
  }
}

function ratio(value: number): string {
  return `${(100 * value).toFixed(0)} %`;
}

function cells(name: string, ...others: readonly string[]): string {
  return name.padEnd(30) + others.map((other) => other.padStart(14)).join("");
}

await sweepNamespaces();
for (const name of names) for (const size of sizes) await measure(name, size);
process.exit(0);

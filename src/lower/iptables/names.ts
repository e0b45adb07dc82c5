/** The kernel keeps 28 bytes of a chain's name. */
const LENGTH = 28;

/** Gives out names for the chains of one table, each once. */
export interface ChainNames {
  /** A name for a chain that has one: the same, as far as iptables allows it. */
  keep(name: string): string;
  /** A name for a new chain: `memcached-1`. */
  make(group: string): string;
}

/** Letters, digits, `_` and `-` pass every tool; names in capitals alone are those of the kernel's chains and targets. */
export function chainNames(): ChainNames {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  const numbered = (stem: string): string => {
    for (let count = (counts.get(stem) ?? 0) + 1; ; count++) {
      const name = `${stem.slice(0, LENGTH - 1 - `${count}`.length)}-${count}`;
      if (taken.has(name)) continue;
      counts.set(stem, count);
      taken.add(name);
      return name;
    }
  };
  return {
    keep(name) {
      const safe = clean(name);
      if (taken.has(safe) || safe.length > LENGTH || !/[a-z]/.test(safe)) return numbered(safe);
      taken.add(safe);
      return safe;
    },
    make: (group) => numbered(clean(group)),
  };
}

function clean(name: string): string {
  const safe = name
    .slice(0, 2 * LENGTH)
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[^A-Za-z]+|-+$/g, "");
  return safe === "" ? "chain" : safe;
}

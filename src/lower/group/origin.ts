import type { MappedRule } from "../../netfilter/grouped.ts";

/** Names that are listed before the rest of them is counted. */
const MOST_NAMES = 3;

/**
 * Where the rules that stand in one line come from: `policy.yaml:23-512 memcached`, from the first line of them to the last
 * one, with the names that those lines go by.
 */
export function commonOrigin(rules: readonly Pick<MappedRule, "origin">[]): string {
  const places: {
    readonly file: string;
    readonly first: number;
    readonly last: number;
    readonly name: string;
  }[] = [];
  for (const { origin } of rules) {
    const parts = /^(.*?):(\d+)(?:-(\d+))? (.*)$/s.exec(origin);
    if (!parts) return listed(rules.map((rule) => rule.origin));
    const first = Number(parts[2]);
    places.push({ file: parts[1]!, first, last: Number(parts[3] ?? first), name: parts[4]! });
  }
  const first = places.reduce((least, place) => Math.min(least, place.first), Infinity);
  const last = places.reduce((most, place) => Math.max(most, place.last), 0);
  const lines = first === last ? `${first}` : `${first}-${last}`;
  return `${places[0]?.file ?? ""}:${lines} ${listed(places.map(({ name }) => name))}`;
}

/** The policies that some rules come from, each once. */
export function groupsOf(rules: readonly Pick<MappedRule, "group">[]): readonly string[] {
  return [...new Set(rules.map(({ group }) => group))];
}

/** `a; b; c; 7 more`. Each name once. They have commas themselves. */
export function listed(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  const hidden = distinct.length - MOST_NAMES;
  return [...distinct.slice(0, MOST_NAMES), ...(hidden > 0 ? [`${hidden} more`] : [])].join("; ");
}

/**
 * The candidate that `word` was probably meant to be; null where none is near. Near is a Damerau–Levenshtein distance
 * (insertions, deletions, substitutions, swaps of neighbours) of at most a third of the word's length; letter case is
 * no difference at all. Of equally near candidates the first one wins.
 */
export function suggest<T extends string>(word: string, candidates: Iterable<T>): T | null {
  if (word.length > LONGEST_WORD) return null;
  const lower = word.toLowerCase();
  let best: T | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    // Two words of two letters that differ in one have nothing in common worth mentioning.
    if (distance < bestDistance && distance < Math.max(candidate.length, word.length) / 2) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Words of other tools, and what they are called here. */
const SYNONYMS: readonly (readonly [word: string, meant: string])[] = [
  ["accept", "allow"],
  ["permit", "allow"],
  ["pass", "allow"],
  ["drop", "deny"],
  ["block", "deny"],
  ["discard", "deny"],
  ["src", "from"],
  ["saddr", "from"],
  ["source", "from"],
  ["dst", "to"],
  ["daddr", "to"],
  ["destination", "to"],
  ["dport", "port"],
  ["sport", "port"],
  ["iif", "in"],
  ["iifname", "in"],
  ["oif", "out"],
  ["oifname", "out"],
  ["on", "in"],
  ["via", "in"],
  ["except", "not"],
  ["!", "not"],
  ["all", "any"],
  ["anywhere", "any"],
  ["localhost", "self"],
  ["yes", "true"],
  ["on", "true"],
  ["no", "false"],
  ["off", "false"],
];

/** The candidate that other tools call `word`; null where none is. */
export function synonym<T extends string>(word: string, candidates: readonly T[]): T | null {
  const lower = word.toLowerCase();
  const meant = SYNONYMS.flatMap(([other, known]) => (other === lower ? [known] : []));
  return candidates.find((candidate) => meant.includes(candidate)) ?? null;
}

/** No name is longer; what is, was no name with a slip of the pen. */
const LONGEST_WORD = 64;

/**
 * The optimal string alignment distance: how many insertions, deletions, substitutions and swaps of neighbours turn
 * `a` into `b`, no part being edited twice.
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, beforePrevious[j - 2]! + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}

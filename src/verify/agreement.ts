import type { Outcome, Outcomes, Question } from "../meaning/outcomes.ts";

/** Decides whether two outcomes, of a policy and of a ruleset, are the same, and remembers which limits stand for which. */
export interface Agreement {
  /** Whether both ask the same in the same order and come to the same. What is not understood is like nothing. */
  alike(meant: Outcome, done: Outcome): boolean;
  /**
   * Limits whose tokens go other ways than the policy says, among all that was found alike: a rule's limit that is counted
   * in several buckets at one hook of one table, or a bucket that serves several rules.
   */
  misplaced(): readonly Misplaced[];
}

export type Misplaced =
  | { readonly kind: "split"; readonly meant: string; readonly done: readonly string[] }
  | { readonly kind: "shared"; readonly meant: readonly string[]; readonly done: string };

/** A fresh agreement: one for each script, because buckets of two scripts have nothing to do with each other. */
export function createAgreement(outcomes: Outcomes): Agreement {
  const known = new Map<string, boolean>();
  const doneBy = new Map<string, Set<string>>();
  const meantBy = new Map<string, Set<string>>();

  function alike(meant: Outcome, done: Outcome): boolean {
    const key = `${meant} ${done}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const a = outcomes.askedOf(meant);
    const b = outcomes.askedOf(done);
    const same =
      a && b
        ? sameQuestion(a.question, b.question) && alike(a.yes, b.yes) && alike(a.no, b.no)
        : !a && !b && meant === done;
    known.set(key, same);
    if (same && a && b) note(a.question, b.question);
    return same;
  }

  function note(meant: Question, done: Question): void {
    if (meant.kind !== "limit" || done.kind !== "limit") return;
    addTo(doneBy, meant.bucket, done.bucket);
    addTo(meantBy, done.bucket, meant.bucket);
  }

  return {
    alike,
    misplaced() {
      const found: Misplaced[] = [];
      for (const [meant, done] of doneBy) {
        // No two tables can share a bucket: a policy's limit counts in each of them for itself.
        const byTable = Map.groupBy(done, (bucket) => bucket.split(" ")[0]!);
        for (const some of byTable.values())
          if (some.length > 1) found.push({ kind: "split", meant, done: some });
      }
      for (const [done, meant] of meantBy) {
        // One rule has a bucket for each path in the policy's book; at one hook they may well be one.
        const rules = new Set([...meant].map((bucket) => bucket.split(",")[0]!));
        if (rules.size > 1) found.push({ kind: "shared", meant: [...meant], done });
      }
      return found;
    },
  };
}

function sameQuestion(a: Question, b: Question): boolean {
  return (
    a.kind === "limit" &&
    b.kind === "limit" &&
    a.count === b.count &&
    a.unit === b.unit &&
    a.burst === b.burst
  );
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key) ?? new Set();
  values.add(value);
  map.set(key, values);
}

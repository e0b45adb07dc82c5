import type { Outcome, Outcomes, Question } from "../meaning/outcomes.ts";

/** Decides whether two outcomes, of a policy and of a ruleset, are the same, and remembers which limits stand for which. */
export interface Agreement {
  /**
   * Whether both ask the same and come to the same. What is not understood is like nothing. Limits that follow each other
   * and lead to the same may change places: whichever is asked first, the packet goes that way if one of them has room.
   */
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

/** Questions one after the other, all with one `yes`, and what comes where none of them is answered with it. */
interface Run {
  readonly questions: readonly Question[];
  readonly yes: Outcome;
  readonly no: Outcome;
}

/** A fresh agreement: one for each script, because buckets of two scripts have nothing to do with each other. */
export function createAgreement(outcomes: Outcomes): Agreement {
  const known = new Map<string, boolean>();
  const doneBy = new Map<string, Set<string>>();
  const meantBy = new Map<string, Set<string>>();

  function alike(meant: Outcome, done: Outcome): boolean {
    const key = `${meant} ${done}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const a = runOf(meant);
    const b = runOf(done);
    const same =
      a && b
        ? sameLimits(a.questions, b.questions) && alike(a.yes, b.yes) && alike(a.no, b.no)
        : !a && !b && meant === done;
    known.set(key, same);
    if (same && a && b) for (const question of a.questions) noteIn(question, a, b);
    return same;
  }

  /** The questions that an outcome begins with and that all have the same `yes`. */
  function runOf(outcome: Outcome): Run | null {
    const first = outcomes.askedOf(outcome);
    if (!first) return null;
    const questions: Question[] = [];
    let no = outcome;
    for (let next = first; next.yes === first.yes; ) {
      questions.push(next.question);
      no = next.no;
      const after = outcomes.askedOf(no);
      if (!after) break;
      next = after;
    }
    return { questions, yes: first.yes, no };
  }

  /** Of several limits with the same figures in one run it cannot be told which is which; other packets tell. */
  function noteIn(question: Question, meant: Run, done: Run): void {
    const like = (run: Run): Question[] => run.questions.filter((one) => sameQuestion(question, one));
    const [only, ...more] = like(done);
    if (only && more.length === 0 && like(meant).length === 1) note(question, only);
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

/** Whether two lists hold limits of the same figures, in whatever order. */
function sameLimits(a: readonly Question[], b: readonly Question[]): boolean {
  if (a.length !== b.length) return false;
  const left = [...b];
  return a.every((question) => {
    const at = left.findIndex((one) => sameQuestion(question, one));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
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

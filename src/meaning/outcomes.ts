/**
 * What becomes of a packet, as a number that a diagram can hold. Most outcomes are plain: a leaf. Where it hangs on
 * something that the packet does not show, a rate limit that has room or not, a test that nobody understood, the outcome
 * is a small decision tree. Equal trees are equal numbers, so two rulesets agree where their diagrams do.
 */
export type Outcome = number;

/** Nothing has decided yet: the outcome that is 0, as diagrams have it. */
export const UNDECIDED: Outcome = 0;

export interface Leaf {
  /** What happens, in the words of whoever makes the leaf. */
  readonly kind: string;
  /** Whatever tells two leaves of a kind apart. */
  readonly detail: string;
}

/** Something that the packet does not show. */
export type Question =
  | {
      readonly kind: "limit";
      readonly count: number;
      readonly unit: string;
      readonly burst: number;
      /** The bucket that gives the tokens: two questions of one bucket share them. */
      readonly bucket: string;
    }
  /** A test that was not understood; `place` tells two with equal words apart. */
  | { readonly kind: "unknown"; readonly text: string; readonly place: string };

export interface Asked {
  readonly question: Question;
  readonly yes: Outcome;
  readonly no: Outcome;
}

/** A table of outcomes. Outcomes of two tables have nothing to do with each other. */
export interface Outcomes {
  leaf(kind: string, detail?: string): Outcome;
  /** Asks, unless the answer makes no difference. */
  ask(question: Question, yes: Outcome, no: Outcome): Outcome;
  /** The leaf that an outcome is; null for one that asks. `UNDECIDED` is the leaf `undecided`. */
  leafOf(outcome: Outcome): Leaf | null;
  askedOf(outcome: Outcome): Asked | null;
  /** A function that puts something else in the place of each leaf (and question), and remembers what it did. */
  rewriter(
    leaf: (leaf: Leaf, self: Outcome) => Outcome,
    question?: (question: Question) => Question,
  ): (outcome: Outcome) => Outcome;
  /**
   * A function of two outcomes that puts something in the place of each leaf of the first, given the second. With
   * `once`, a question is not asked again of the same packet where its answer is known by then: either answer, or a `no`
   * alone, which takes no token, so that the bucket is as empty the next moment.
   */
  grafter(
    leaf: (leaf: Leaf, self: Outcome, next: Outcome) => Outcome,
    options?: { readonly once?: "either" | "no" },
  ): (first: Outcome, next: Outcome) => Outcome;
  /** All leaves of an outcome. */
  leavesOf(outcome: Outcome): readonly Leaf[];
}

/** A fresh table. */
export function createOutcomes(): Outcomes {
  const entries: (Leaf | Asked)[] = [{ kind: "undecided", detail: "" }];
  const known = new Map<string, Outcome>([["undecided|", UNDECIDED]]);
  const questions = new Map<string, number>();

  function intern(key: string, entry: Leaf | Asked): Outcome {
    const found = known.get(key);
    if (found !== undefined) return found;
    entries.push(entry);
    known.set(key, entries.length - 1);
    return entries.length - 1;
  }

  function numberOf(question: Question): number {
    const key = JSON.stringify(question);
    const number = questions.get(key) ?? questions.size;
    questions.set(key, number);
    return number;
  }

  const askedOf = (outcome: Outcome): Asked | null => {
    const entry = entries[outcome]!;
    return "question" in entry ? entry : null;
  };
  const leafOf = (outcome: Outcome): Leaf | null => {
    const entry = entries[outcome]!;
    return "question" in entry ? null : entry;
  };
  const ask = (question: Question, yes: Outcome, no: Outcome): Outcome =>
    yes === no ? yes : intern(`?${numberOf(question)}|${yes}|${no}`, { question, yes, no });

  /** The outcome where the answer to a question is known. */
  function assume(outcome: Outcome, question: number, answer: boolean): Outcome {
    const asked = askedOf(outcome);
    if (!asked) return outcome;
    const yes = assume(asked.yes, question, answer);
    const no = assume(asked.no, question, answer);
    if (numberOf(asked.question) === question) return answer ? yes : no;
    return ask(asked.question, yes, no);
  }

  return {
    leaf: (kind, detail = "") => intern(`${kind}|${detail}`, { kind, detail }),
    ask,
    leafOf,
    askedOf,
    rewriter(leaf, question = (one) => one) {
      const done = new Map<Outcome, Outcome>();
      const rewrite = (outcome: Outcome): Outcome => {
        const before = done.get(outcome);
        if (before !== undefined) return before;
        const entry = entries[outcome]!;
        const after =
          "question" in entry
            ? ask(question(entry.question), rewrite(entry.yes), rewrite(entry.no))
            : leaf(entry, outcome);
        done.set(outcome, after);
        return after;
      };
      return rewrite;
    },
    grafter(leaf, { once } = {}) {
      const done = new Map<number, Outcome>();
      const graft = (first: Outcome, next: Outcome): Outcome => {
        const key = first * 2 ** 26 + next;
        const before = done.get(key);
        if (before !== undefined) return before;
        const entry = entries[first]!;
        let after: Outcome;
        if ("question" in entry) {
          const yes = graft(entry.yes, next);
          const no = graft(entry.no, next);
          const number = once ? numberOf(entry.question) : 0;
          after = ask(
            entry.question,
            once === "either" ? assume(yes, number, true) : yes,
            once ? assume(no, number, false) : no,
          );
        } else after = leaf(entry, first, next);
        done.set(key, after);
        return after;
      };
      return graft;
    },
    leavesOf(outcome) {
      const found = new Map<Outcome, Leaf>();
      const visit = (one: Outcome): void => {
        const entry = entries[one]!;
        if (!("question" in entry)) found.set(one, entry);
        else {
          visit(entry.yes);
          visit(entry.no);
        }
      };
      visit(outcome);
      return [...found.values()];
    },
  };
}

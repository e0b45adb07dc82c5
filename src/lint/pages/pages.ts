import { dnatNotAllowed } from "./dnat-not-allowed.ts";
import { halfTrackedFlow } from "./half-tracked-flow.ts";
import { ignorePages } from "./ignores.ts";
import { inconclusive } from "./inconclusive.ts";
import { keepPorts } from "./keep-ports.ts";
import { languagePages } from "./language.ts";
import { noWayBackIn } from "./no-way-back-in.ts";
import type { Page } from "./page.ts";
import { policyPages } from "./policy.ts";
import { redundantRule } from "./redundant-rule.ts";
import { scriptPages } from "./scripts.ts";
import { selfWithoutFamily } from "./self-without-family.ts";
import { shadowedRule } from "./shadowed-rule.ts";
import { unmatchableRule } from "./unmatchable-rule.ts";
import { untrackedFromAnywhere } from "./untracked-from-anywhere.ts";
import { untrackedNat } from "./untracked-nat.ts";
import { untrackedNatReply } from "./untracked-nat-reply.ts";
import { untrackedPath } from "./untracked-path.ts";
import { untrackedReplyDenied } from "./untracked-reply-denied.ts";
import { unusedName } from "./unused-name.ts";

/** Pages that belong together, under a heading. */
export interface Chapter {
  readonly title: string;
  /** What its checks have in common, in a sentence. */
  readonly about: string;
  readonly pages: readonly Page[];
}

/** Every page, the most telling first. */
export const CHAPTERS: readonly Chapter[] = [
  {
    title: "What is proved",
    about: "Errors. They hold or fail for every packet, and nothing is emitted until they hold.",
    pages: [
      untrackedReplyDenied,
      halfTrackedFlow,
      untrackedNat,
      untrackedNatReply,
      untrackedPath,
      ...policyPages.filter(({ name }) => name === "untracked-reject"),
      inconclusive,
    ],
  },
  {
    title: "What is suspicious",
    about: "Warnings. They can be ignored, with a reason: `# ctc-ignore NAME: reason`.",
    pages: [
      shadowedRule,
      redundantRule,
      dnatNotAllowed,
      noWayBackIn,
      selfWithoutFamily,
      untrackedFromAnywhere,
      keepPorts,
      unusedName,
      ...ignorePages,
    ],
  },
  {
    title: "What cannot be meant",
    about: "Errors in what names and sentences come to.",
    pages: [unmatchableRule, ...policyPages.filter(({ name }) => name !== "untracked-reject")],
  },
  {
    title: "What cannot be read",
    about: "Errors in the text of a policy, its shape and its sentences.",
    pages: languagePages,
  },
  {
    title: "What is said of scripts and packets",
    about: "By `ctc verify`, `ctc golden` and `ctc trace`, about what a policy is held against.",
    pages: scriptPages,
  },
];

export const PAGES: readonly Page[] = CHAPTERS.flatMap(({ pages }) => pages);

/** The example of a page as it should be; null where it has none. */
export function corrected({ example, correct }: Page): string | null {
  return example && correct.reduce((text, [before, after]) => text.replace(before, () => after), example);
}

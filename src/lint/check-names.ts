import { languageChecks } from "../language/checks.ts";
import { checks } from "./lint.ts";

/** Checks of what names and sentences come to, made while they are resolved (`src/policy`). */
export const policyChecks = [
  "unknown-name",
  "cyclic-name",
  "families-cannot-meet",
  "host-addresses",
  "nat-target",
  "symmetric-tracked",
  "untracked-reject",
] as const;

/** Checks of the comments that ignore other checks. */
export const ignoreChecks = ["bad-ignore", "unused-ignore"] as const;

/** Every check that speaks of policy files, in the order in which a file meets them. */
export const CHECK_NAMES: readonly string[] = [
  "invalid-utf8",
  ...languageChecks,
  ...policyChecks,
  ...checks.map(({ name }) => name),
  "inconclusive",
  ...ignoreChecks,
];

/** What `# ctc-ignore` may name: the warnings. */
export const IGNORABLE: readonly string[] = [
  ...checks.filter(({ level }) => level === "warning").map(({ name }) => name),
  // A warning where no proof is among what could not be settled.
  "inconclusive",
];

import type { Span } from "../../source/source.ts";
import { noteUnknown, type ReadLog, reportWarning } from "../reading.ts";
import type { Step } from "../rule.ts";
import { implied } from "./comparison.ts";
import type { Key } from "./keys.ts";
import type { Value } from "./values.ts";

/** A test that a field of a header is not one value. */
export interface Exclusion {
  readonly header: "network" | "transport";
  readonly keys: readonly Key[];
  /** Its place among the steps, and where it is written. */
  readonly step: number;
  readonly span: Span;
}

/** The header in which nft looks for a field that may stand next to another; null for what is no field, and for addresses. */
export function headerOf([key, ...others]: readonly Key[]): Exclusion["header"] | null {
  if (!key || others.length > 0) return null;
  switch (key.kind) {
    case "port":
    case "icmp-type":
    case "icmp-code":
    case "tcp-flags":
      return "transport";
    case "protocol-4":
    case "next-header":
      return "network";
    case "unknown":
      return key.protocol !== null ? "transport" : key.family !== null ? "network" : null;
    default:
      return null;
  }
}

/** A set of one element is no set to nft. */
export function isSingle(value: Value): boolean {
  return value.kind === "atom" || (value.kind === "elements" && value.elements.length === 1);
}

/**
 * nft 1.0.6 makes one test of two that exclude a value each of fields side by side, wherever they stand in the rule, and the
 * one passes where either of the two would (`nft --debug=netlink` shows it). Others do better, so nobody knows.
 */
export function doubtExclusions(log: ReadLog, exclusions: readonly Exclusion[], steps: Step[]): void {
  for (const header of ["network", "transport"] as const) {
    const found = exclusions.filter((one) => one.header === header);
    // One field is no neighbour of itself.
    if (new Set(found.map(({ keys }) => JSON.stringify(keys))).size < 2) continue;
    for (const { keys, step, span } of found) {
      const text = noteUnknown(log, "test", span);
      steps[step] = {
        kind: "test",
        alternatives: [[...keys.flatMap(implied), { kind: "unknown", text }]],
        text,
      };
    }
    reportWarning(
      log,
      found.at(-1)!.span,
      "some versions of nft make one wrong test of this `!=` and another in the rule",
      "name the values that it may have instead",
    );
  }
}

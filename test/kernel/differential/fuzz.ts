import fc from "fast-check";
import { analyse } from "../../../src/compile.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { TCP } from "../../../src/policy/packet.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { readPolicy } from "../../support/policy.ts";
import { randomPolicy } from "../../support/random-policy.ts";
import { BACKENDS, type Backend } from "../backends.ts";
import { crossroads } from "../crossroads.ts";
import { boundaryShot } from "./boundaries.ts";
import { randomOf } from "./random.ts";
import { type Answered, type Bench, compare, compareOpen, type Difference } from "./run.ts";
import { describeShot, type Shot } from "./shots.ts";
import { shrink } from "./shrink.ts";

/** How much was compared under one backend. */
export interface Tally {
  policies: number;
  /** Packets, answers and later packets. */
  packets: number;
  ambiguous: number;
  crowded: number;
  /** Policies in which the linter finds no error, and packets of theirs that were answered. */
  clean: number;
  answered: number;
}

export interface Fuzzed {
  readonly tallies: Readonly<Record<Backend, Tally>>;
  /** What was found, in words, with everything that it takes to see it again. */
  readonly findings: readonly string[];
}

export interface FuzzPlan {
  readonly seed: number;
  /** Whether to go on after so many policies. */
  readonly goOn: (policies: number) => boolean;
  /** Packets for each policy, beside those that follow from them. */
  readonly shots: number;
  readonly say?: (line: string) => void;
}

/** Of so many policies one meets flows that were open before it was loaded. */
const OPEN_EVERY = 3;

/** A packet a policy; more differences of one policy rarely tell more. */
const SHRUNK_PER_POLICY = 1;

/** Random policies under all backends at once, each in a host of its own. */
export async function fuzz({ seed, goOn, shots, say = () => {} }: FuzzPlan): Promise<Fuzzed> {
  const benches = await Promise.all(
    BACKENDS.map(async (backend): Promise<Bench> => ({ backend, net: await crossroads() })),
  );
  const tallies = Object.fromEntries(BACKENDS.map((backend) => [backend, emptyTally()])) as Record<
    Backend,
    Tally
  >;
  const findings: string[] = [];
  try {
    for (let i = 0; goOn(i); i++) {
      const text = policyText(seed + i);
      const { policy } = readPolicy(text);
      if (!policy) continue;
      const random = randomOf(seed + i);
      const volley = Array.from({ length: shots }, () => boundaryShot(policy, random));
      const one: Subject = { seed: seed + i, text, policy, volley, isClean: hasNoErrors(text) };
      await Promise.all(
        benches.map(async (bench) => {
          const tally = tallies[bench.backend];
          try {
            findings.push(...(await hold(bench, one, tally)));
          } catch (error) {
            // A script that the kernel refuses is a finding like any other.
            findings.push(`${bench.backend}, seed ${seed + i}: ${(error as Error).message}\n${text}`);
          }
        }),
      );
      if (i % 25 === 24) say(`${i + 1} policies, ${findings.length} findings`);
    }
  } finally {
    await Promise.all(benches.map(({ net }) => net.lab.destroy()));
  }
  return { tallies, findings };
}

interface Subject {
  readonly seed: number;
  readonly text: string;
  readonly policy: Policy;
  readonly volley: readonly Shot[];
  readonly isClean: boolean;
}

/** Holds one policy under one backend; what was found. */
async function hold(bench: Bench, subject: Subject, tally: Tally): Promise<readonly string[]> {
  const { seed, text, policy, volley, isClean } = subject;
  const { backend } = bench;
  const findings: string[] = [];
  tally.policies++;
  if (seed % OPEN_EVERY === 0) {
    const open = await compareOpen(bench, policy, volley);
    tally.packets += open.compared;
    for (const difference of open.differences.slice(0, SHRUNK_PER_POLICY))
      findings.push(describeDifference(backend, seed, text, difference));
  }
  const result = await compare(bench, policy, volley);
  tally.packets += result.compared;
  tally.ambiguous += result.ambiguous;
  tally.crowded += result.crowded;
  if (isClean) {
    tally.clean++;
    tally.answered += result.answered.length;
    for (const { shot } of result.answered.filter((one) => breaksPromise(policy, one))) {
      // Among many, an answer may belong to another flow: NAT gives no two of them one pair of ends, ports or none.
      const alone = await compare(bench, policy, [shot]);
      for (const answered of alone.answered.filter((one) => breaksPromise(policy, one)))
        findings.push(describeUnanswered(backend, seed, text, answered));
    }
  }
  for (const difference of result.differences.slice(0, SHRUNK_PER_POLICY)) {
    const small = await shrink(bench, text, difference);
    findings.push(describeDifference(backend, seed, small.text, small.difference));
  }
  return findings;
}

function emptyTally(): Tally {
  return { policies: 0, packets: 0, ambiguous: 0, crowded: 0, clean: 0, answered: 0 };
}

/**
 * One policy. Most random ones are broken in a way that the linter finds, which makes them no worse here. But the promise
 * of the proofs is worth something only where they are not: a third have mirrors throughout, and a third no NAT.
 */
function policyText(seed: number): string {
  const [text] = fc.sample(randomPolicy({ nat: seed % 3 !== 0, whole: true }), { seed, numRuns: 1 });
  if (seed % 3 !== 0) return text!;
  return text!.replace(
    /doNotTrack: true\n(?! {4}symmetric)/g,
    "doNotTrack: true\n    symmetricAllow: true\n",
  );
}

function hasNoErrors(text: string): boolean {
  const { findings } = analyse(
    { name: "policy.yaml", text },
    { read: () => ({ error: "there is no such file" }) },
  );
  return findings.every(({ level }) => level !== "error");
}

/**
 * What the proofs promise: the answer to an untracked packet comes through, untracked as well, and the answer to a tracked
 * packet that opens a flow belongs to that flow. They do not rule out that an untracked deny matches that answer: it drops
 * whatever it matches, of open flows too, which is what a blocklist is written for. Of a loopback that is essential they
 * promise only that it passes.
 */
function breaksPromise(policy: Policy, { shot, state, answer, sighting }: Answered): boolean {
  const mayBeAnything = policy.essentials && shot.packet.path === "loopback";
  switch (state) {
    case "untracked":
      return mayBeAnything ? !sighting?.end : sighting?.end?.state !== "untracked";
    case "new":
      if (shot.packet.protocol === TCP && !shot.packet.opening) return false;
      if (sighting && !sighting.end && isDeniedUntracked(policy, answer)) return false;
      if (mayBeAnything) return !sighting?.end;
      return sighting?.end?.state !== "established";
    default:
      return false;
  }
}

function isDeniedUntracked(policy: Policy, { packet }: Shot): boolean {
  const { reason } = evaluate(policy, packet, {
    state: "established",
    withinLimit: () => true,
    translate: () => packet,
  });
  return reason.kind === "rule" && !reason.rule.tracked && reason.rule.action === "deny";
}

function describeDifference(
  backend: Backend,
  seed: number,
  text: string,
  { shots, problem }: Difference,
): string {
  return [
    `${backend}, seed ${seed}: ${problem}`,
    ...shots.map((shot) => `  ${describeShot(shot)}`),
    text,
  ].join("\n");
}

function describeUnanswered(
  backend: Backend,
  seed: number,
  text: string,
  { shot, state, answer, sighting }: Answered,
): string {
  const became = sighting?.end ? `was ${sighting.end.state}` : "was dropped";
  return [
    `${backend}, seed ${seed}: no check complains, and the answer to a packet that was ${state} ${became}`,
    `  ${describeShot(shot)}`,
    `  ${describeShot(answer)}`,
    text,
  ].join("\n");
}

import type { SetCosts } from "../../../src/lower/ipset/cost.ts";
import { lower } from "../../../src/lower/lower.ts";
import type { TrackedState } from "../../../src/policy/packet.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { policyOf } from "../../support/policy.ts";
import { type Backend, load, type Scripts } from "../backends.ts";
import { printed } from "../compile.ts";
import type { Crossroads } from "../crossroads.ts";
import type { End, ObservedState, Sighting } from "../observer.ts";
import { differences } from "./compare.ts";
import { type Expectation, expectations, expectationWithin, isAmbiguous } from "./expected.ts";
import { answerTo, errorAbout, laterPacket } from "./replies.ts";
import { addressOf, firstState, injection, isNeverTracked, type Shot } from "./shots.ts";

/** A host under test with one of the three roads into its kernel. */
export interface Bench {
  readonly backend: Backend;
  readonly net: Crossroads;
}

/** Where the kernel did not do what the reference says, with everything that it takes to see it again. */
export interface Difference {
  /** The packets in order, the last of which is the one that went wrong. */
  readonly shots: readonly Shot[];
  readonly problem: string;
}

/** The outcome of one policy under one backend. */
export interface Result {
  /** Packets that were compared. */
  readonly compared: number;
  /** Packets that no ruleset can treat as such a policy says: `untracked-path`. */
  readonly ambiguous: number;
  readonly differences: readonly Difference[];
  /** Packets that went as expected only once they were sent alone: NAT gives no two flows of a table one pair of ends. */
  readonly crowded: number;
  /** Packets that were accepted, with what became of their answers. */
  readonly answered: readonly Answered[];
}

export interface Answered {
  readonly shot: Shot;
  /** The state in which it was accepted. */
  readonly state: ObservedState;
  readonly answer: Shot;
  readonly sighting: Sighting | undefined;
}

/** What is printed for a policy whatever the checks say of it. */
export function scriptsOf(policy: Policy, costs: SetCosts | null = null): Scripts {
  return printed(lower(policy), costs);
}

/** Sends packets through a policy, then their answers, later packets and errors about them, and compares each. */
export async function compare(
  { backend, net }: Bench,
  policy: Policy,
  shots: readonly Shot[],
  scripts = scriptsOf(policy),
): Promise<Result> {
  await load(net.host, backend, scripts);
  const results: Result[] = [];
  for (const batch of strangers(shots)) {
    const result = await compareBatch(net, policy, batch);
    const suspects = new Set(result.differences.map(({ shots: [first] }) => first!));
    const found: Difference[] = [];
    let crowded = 0;
    for (const suspect of suspects) {
      const alone = await compareBatch(net, policy, [suspect]);
      found.push(...alone.differences);
      if (alone.differences.length === 0) crowded++;
    }
    results.push({ ...result, differences: found, crowded });
  }
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    compared: sum(({ compared }) => compared),
    ambiguous: sum(({ ambiguous }) => ambiguous),
    crowded: sum(({ crowded }) => crowded),
    differences: results.flatMap((result) => result.differences),
    answered: results.flatMap((result) => result.answered),
  };
}

/** A packet on its way, with what must become of it. */
interface Trial {
  readonly shot: Shot;
  readonly tag: number;
  readonly expected: readonly Expectation[];
  /** What was sent before it, of its flow. */
  readonly before: readonly Shot[];
}

async function compareBatch(net: Crossroads, policy: Policy, shots: readonly Shot[]): Promise<Result> {
  const found: Difference[] = [];
  let compared = 0;
  let ambiguous = 0;
  let nextTag = 1;
  const fire = async (trials: readonly Trial[]): Promise<ReadonlyMap<number, Sighting>> => {
    const seen = await net.volley(trials.map(({ shot, tag }) => injection(shot, tag)));
    compared += trials.length;
    for (const { shot, tag, expected, before } of trials) {
      const problem = differences(expected, seen.get(tag));
      if (problem) found.push({ shots: [...before, shot], problem });
    }
    return seen;
  };
  const trial = (
    shot: Shot,
    state: TrackedState,
    before: readonly Shot[],
    known?: Expectation["end"],
  ): Trial[] => {
    if (isAmbiguous(policy, shot, state)) {
      ambiguous++;
      return [];
    }
    // The flow says where a packet goes that tracking knows, whatever the wire says.
    const expected = known ? [expectationWithin(policy, shot, known)] : expectations(policy, shot, state);
    return [{ shot, tag: nextTag++, expected, before }];
  };

  await net.forget();
  const firsts = shots.flatMap((shot) => trial(shot, firstState(shot), []));
  const opened = await fire(firsts);

  const answers: Trial[] = [];
  const flows: { readonly first: Trial; readonly end: End }[] = [];
  for (const first of firsts) {
    const { shot, tag } = first;
    const end = opened.get(tag)?.end;
    const answer = end && answerTo(shot, end);
    if (!end || !answer || isNeverTracked(shot)) continue;
    const isTracked = end.state === "new";
    const [answering] = isTracked
      ? trial(answer, "established", [shot], turnedRound(shot, end, answer))
      : trial(answer, firstState(answer), [shot]);
    if (!answering) continue;
    answers.push(answering);
    if (isTracked) flows.push({ first, end });
  }
  const answered = await fire(answers);

  const later = flows.flatMap(({ first: { shot, tag }, end }) => {
    const answering = answers.find(({ before }) => before[0] === shot);
    // A flow is open only once its answer has come through.
    if (!answering || answered.get(answering.tag)?.end?.state !== "established") return [];
    const before = [shot, answering.shot];
    const error = errorAbout(shot, end);
    return [
      ...trial(laterPacket(shot, tag), "established", before, asSeen(end)),
      ...(error ? trial(error, "related", before) : []),
    ];
  });
  await fire(later);

  return {
    compared,
    ambiguous,
    differences: found,
    crowded: 0,
    answered: answers.map(({ shot: answer, before: [shot], tag }) => ({
      shot: shot!,
      state: opened.get(firsts.find((first) => first.shot === shot)!.tag)!.end!.state,
      answer,
      sighting: answered.get(tag),
    })),
  };
}

/** Lets everything through; what belongs to no flow is no matter here. */
const OPEN_TO_ALL = policyOf(
  "version: 1\ndefaults: { input: allow, forward: allow, output: allow }\npolicies: []\n",
);

/**
 * Packets of flows that were open before the policy was loaded, whatever it says of their first packets. What raw drops or
 * leaves untracked it drops and leaves untracked all the same; everything else passes by its state.
 */
export async function compareOpen(
  { backend, net }: Bench,
  policy: Policy,
  shots: readonly Shot[],
): Promise<Pick<Result, "compared" | "differences">> {
  await load(net.host, backend, scriptsOf(OPEN_TO_ALL));
  await net.forget();
  const firsts = (strangers(shots)[0] ?? [])
    .filter((shot) => firstState(shot) === "new" && !isNeverTracked(shot))
    .map((shot, i) => ({ shot, tag: 1 + i }));
  const opened = await net.volley(firsts.map(({ shot, tag }) => injection(shot, tag)));
  const flows = firsts.flatMap(({ shot, tag }) => {
    const end = opened.get(tag)?.end;
    const answer = end && answerTo(shot, end);
    return answer ? [{ shot, tag, answer }] : [];
  });
  const answerTag = (tag: number): number => tag + firsts.length;
  const answered = await net.volley(flows.map(({ answer, tag }) => injection(answer, answerTag(tag))));
  const open = flows.filter(({ tag }) => answered.get(answerTag(tag))?.end?.state === "established");

  await load(net.host, backend, scriptsOf(policy));
  const trials = open.flatMap(({ shot, tag, answer }, i) =>
    [laterPacket(shot, tag), answer].flatMap((packet, j) =>
      isAmbiguous(policy, packet, "established")
        ? []
        : [
            {
              packet,
              before: [shot, answer],
              tag: 1 + 2 * i + j,
              expected: expectations(policy, packet, "established"),
            },
          ],
    ),
  );
  const seen = await net.volley(trials.map(({ packet, tag }) => injection(packet, tag)));
  return {
    compared: trials.length,
    differences: trials.flatMap(({ packet, before, tag, expected }) => {
      const problem = differences(expected, seen.get(tag));
      return problem
        ? [{ shots: [...before, packet], problem: `of a flow that was open before: ${problem}` }]
        : [];
    }),
  };
}

/** The end of the answer to a tracked packet: where that came from, with all translation undone. */
function turnedRound({ packet }: Shot, end: End, answer: Shot): Expectation["end"] {
  const path =
    end.path === "loopback"
      ? "loopback"
      : end.path === "input"
        ? "output"
        : end.path === "output"
          ? "input"
          : "forward";
  return {
    path,
    out: path === "output" || path === "forward" ? answer.via : null,
    state: "established",
    destination: packet.source,
    destinationPort: packet.sourcePort,
    source: { first: packet.destination, last: packet.destination },
    sourcePort:
      packet.destinationPort === null
        ? null
        : { first: packet.destinationPort, last: packet.destinationPort },
  };
}

/** The end of a later packet: that of the first one of its flow. */
function asSeen({ path, out, packet }: End): Expectation["end"] {
  const source = addressOf(packet.source);
  const { sourcePort, destinationPort } = packet;
  return {
    path,
    out,
    state: "established",
    destination: addressOf(packet.destination),
    destinationPort,
    source: { first: source, last: source },
    sourcePort: sourcePort === null ? null : { first: sourcePort, last: sourcePort },
  };
}

/** Packets in batches of which no two belong to one flow, in either direction. */
function strangers(shots: readonly Shot[]): readonly (readonly Shot[])[] {
  const batches: { readonly shots: Shot[]; readonly flows: Set<string> }[] = [];
  for (const shot of shots) {
    const flow = flowOf(shot);
    let batch = batches.find(
      ({ flows, shots: members }) => !flows.has(flow) && members.length < LARGEST_BATCH,
    );
    if (!batch) {
      batch = { shots: [], flows: new Set() };
      batches.push(batch);
    }
    batch.shots.push(shot);
    batch.flows.add(flow);
  }
  return batches.map(({ shots: members }) => members);
}

/** Each packet of a batch may need three more tags. */
const LARGEST_BATCH = 10_000;

function flowOf({ packet }: Shot): string {
  const { family, protocol, icmp, source, destination, sourcePort, destinationPort } = packet;
  const ends = [`${source} ${sourcePort}`, `${destination} ${destinationPort}`].sort();
  return `${family} ${protocol} ${icmp?.type} ${ends}`;
}

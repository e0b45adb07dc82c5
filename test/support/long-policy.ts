import fc from "fast-check";

/** Prefixes and single addresses of a small network, so that they nest, overlap and touch. */
const source = fc
  .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 26, max: 32 }), fc.boolean())
  .map(([at, length, isFour]) => {
    const start = (at * 4) & ~((1 << (32 - length)) - 1);
    return isFour ? `10.0.0.${start}/${length}` : `fd00::${start.toString(16)}/${96 + length}`;
  });

interface List {
  readonly flags: readonly string[];
  readonly rules: readonly string[];
}

/** Untracked lists stand first and have ports of their own: tracked denies that take their replies are refused. */
const lists = fc
  .tuple(fc.option(list(true), { freq: 2 }), fc.array(list(false), { minLength: 1, maxLength: 2 }))
  .map(([untracked, tracked]) => (untracked ? [untracked, ...tracked] : tracked));

function list(isUntracked: boolean): fc.Arbitrary<List> {
  const sentence = fc
    .record({
      action: isUntracked ? fc.constant("allow") : fc.constantFrom("allow", "deny"),
      traffic: fc.constantFrom("tcp", "udp"),
      from: source,
      to: isUntracked ? fc.constant("self") : fc.constantFrom("self", "any", "10.0.0.0/28"),
      port: fc.constantFrom(...(isUntracked ? ["7", "8", "9"] : ["80", "81", "80-81", "79-90", "53"])),
    })
    .map(({ action, traffic, from, to, port }) => {
      const target = from.startsWith("fd00") && to.startsWith("10.") ? "fd00::/112" : to;
      return `${action} ${traffic} from ${from} to ${target} port ${port}`;
    });
  const flags = isUntracked ? ["doNotTrack: true", "symmetricAllow: true"] : [];
  return fc
    .array(sentence, { minLength: 40, maxLength: 60, size: "max" })
    .map((rules): List => ({ flags, rules }));
}

/**
 * Random policies with long lists of sentences of few shapes, which the lowering makes sets and trees of: prefixes that nest
 * and overlap, allows and denies in any order, and now and then a list that is not tracked.
 */
export const longPolicy: fc.Arbitrary<string> = fc
  .record({
    lists,
    input: fc.constantFrom("allow", "deny"),
    forward: fc.constantFrom("allow", "deny"),
  })
  .map(({ lists, input, forward }) =>
    [
      "version: 1",
      `defaults: { input: ${input}, forward: ${forward} }`,
      "policies:",
      ...lists.flatMap(({ flags, rules }, at) => [
        `  - name: list ${at + 1}`,
        ...flags.map((flag) => `    ${flag}`),
        "    rules:",
        ...rules.map((rule) => `      - ${rule}`),
      ]),
      "",
    ].join("\n"),
  );

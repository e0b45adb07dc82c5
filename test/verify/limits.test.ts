import { expect, test } from "vitest";
import { differencesOf } from "./own.ts";

/** Of forwarded packets raw asks the second limit before the first, which has to wait until it is known where they leave. */
const policy = (second: string): string => `version: 1
policies:
  - name: untracked
    doNotTrack: true
    rules:
      - deny udp from any to any port 53 out not eth0 limit 5/second
      - deny udp from any to 10.0.0.0/8 port 53 limit ${second}
  - name: tracked
    rules:
      - allow udp from any to any
`;

test.each(["5/second", "7/second"])("limits that lead to the same may change places: %s", (second) => {
  expect(differencesOf(policy(second))).toEqual([]);
});

test("a deny that waits for routing asks its limit once, also of what is translated", () => {
  const text = `version: 1
defaults: { forward: allow }
policies:
  - name: untracked
    doNotTrack: true
    rules:
      - deny tcp from any to 10.0.0.0/8 port 81 out eth1 limit 5/second
nat:
  - dnat tcp from any to self -> 10.0.0.5 port 81
`;
  expect(differencesOf(text)).toEqual([]);
});

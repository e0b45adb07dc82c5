import { describe, expect, test } from "vitest";
import { defaultBurst, highestCount, largestBurst, SECONDS, TIME_UNITS } from "../../src/language/limit.ts";

/*
 * The arithmetic of xt_limit, after net/netfilter/xt_limit.c, for every HZ that Linux can be built with. What
 * `iptables-legacy -m limit` accepts on a kernel with HZ=250 agrees with it: see the last test.
 */

const U32 = 2 ** 32;
const XT_LIMIT_SCALE = 10_000;
const EVERY_HZ = [24, 32, 48, 64, 100, 128, 200, 250, 256, 300, 500, 512, 1000, 1024, 1200];

/** Credits in a second: HZ × POW2_BELOW32(MAX_CPJ). */
function creditsPerSecond(hz: number): number {
  const most = Math.floor((U32 - 1) / (hz * 86_400));
  return hz * 2 ** Math.floor(Math.log2(most));
}

/** `user2credits`, and whether 32 bits were enough for it. */
function credits(user: number, perSecond: number): { value: number; overflows: boolean } {
  const exact =
    user > Math.floor((U32 - 1) / perSecond)
      ? Math.floor(user / XT_LIMIT_SCALE) * perSecond
      : Math.floor((user * perSecond) / XT_LIMIT_SCALE);
  return { value: exact % U32, overflows: exact >= U32 };
}

/** `limit_mt_check`: whether the kernel takes the rule; and whether what it then keeps is what was asked for. */
function load(
  count: number,
  seconds: number,
  burst: number,
  hz: number,
): { loads: boolean; isRight: boolean } {
  const perSecond = creditsPerSecond(hz);
  const average = Math.floor((XT_LIMIT_SCALE * seconds) / count);
  const cost = credits(average, perSecond);
  const full = credits((average * burst) % U32, perSecond);
  const overflows = average * burst >= U32 || cost.overflows || full.overflows;
  return { loads: burst > 0 && full.value >= cost.value, isRight: !overflows };
}

describe("limits that a policy may have", () => {
  test.each(TIME_UNITS)("load and mean the same on every kernel: a %s", (unit) => {
    const counts = [1, 2, 3, 5, 7, 10, 24, 59, 60, 61, 100, 999, 1440, 10_000].filter(
      (count) => count <= highestCount(unit),
    );
    for (const hz of EVERY_HZ)
      for (const count of [...counts, highestCount(unit)])
        for (const burst of [1, defaultBurst(count, unit), largestBurst(count, unit)])
          expect({ hz, count, burst, ...load(count, SECONDS[unit], burst, hz) }).toMatchObject({
            loads: true,
            isRight: true,
          });
  });

  test("have no room to spare: twice the burst overflows on some kernel", () => {
    for (const [count, unit] of [
      [1, "day"],
      [3, "day"],
      [1, "hour"],
      [5, "hour"],
      [1, "minute"],
    ] as const) {
      const burst = 2 * largestBurst(count, unit);
      expect(
        EVERY_HZ.some((hz) => !load(count, SECONDS[unit], burst, hz).isRight),
        `${count}/${unit}`,
      ).toBe(true);
    }
  });

  test("are not too fast for iptables", () => {
    for (const unit of TIME_UNITS) {
      const average = (count: number) => Math.floor((XT_LIMIT_SCALE * SECONDS[unit]) / count);
      expect(average(highestCount(unit))).toBe(1);
      expect(average(highestCount(unit) + 1)).toBe(0);
    }
  });

  test("have the burst of iptables and nft, unless that is too much", () => {
    expect(defaultBurst(10, "minute")).toBe(5);
    expect(defaultBurst(2, "day")).toBe(2);
    expect(largestBurst(1, "second")).toBe(10_000);
    expect(largestBurst(2, "hour")).toBe(48);
  });
});

// Measured on Linux 6.18 with HZ=250: iptables-legacy -A INPUT -m limit --limit RATE --limit-burst BURST.
test.each([
  [1, "day", 1, true],
  [1, "day", 2, false],
  [1, "day", 3, true],
  [1, "day", 4, false],
  [1, "day", 5, false],
  [1, "day", 7, false],
  [2, "day", 3, true],
  [2, "day", 4, false],
  [3, "day", 4, true],
  [3, "day", 5, false],
  [1, "hour", 24, true],
  [1, "hour", 37, true],
  [1, "hour", 38, false],
  [1, "hour", 40, true],
  [1, "minute", 2236, true],
  [1, "minute", 2237, false],
  [1, "minute", 2300, true],
] as const)("the model agrees with a kernel: %i/%s burst %i loads: %s", (count, unit, burst, loads) => {
  expect(load(count, SECONDS[unit], burst, 250).loads).toBe(loads);
});

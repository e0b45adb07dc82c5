import type { TimeUnit } from "./ast.ts";

/*
 * What the kernel's token buckets can hold. The nft limit statement counts in nanoseconds and 64 bits; the xt_limit
 * match behind `iptables -m limit` does not, and its bounds hold for a policy, because one policy must load everywhere.
 */

export const SECONDS: Readonly<Record<TimeUnit, number>> = { second: 1, minute: 60, hour: 3600, day: 86400 };

export const TIME_UNITS = Object.keys(SECONDS) as readonly TimeUnit[];

/**
 * The highest rate: xt_limit keeps the time between two packets in units of 1/10000 s (XT_LIMIT_SCALE), and iptables
 * refuses what it would round to zero ("Rate too fast").
 */
export function highestCount(unit: TimeUnit): number {
  return 10_000 * SECONDS[unit];
}

/**
 * The largest burst. The iptables command takes none above 10000. The kernel keeps a full bucket in 32 bits, as
 * burst × time between two packets in credits (`user2credits` and `limit_mt_check`, net/netfilter/xt_limit.c), of which
 * a second has HZ × CREDITS_PER_JIFFY; it chooses CREDITS_PER_JIFFY such that one day's worth just fits. More than one
 * day's worth overflows on some kernels: with HZ=250, `1/day` with burst 2 or 4 is refused (ERANGE), and with
 * burst 3 loads and means something else.
 */
export function largestBurst(count: number, unit: TimeUnit): number {
  return Math.min(10_000, count * (SECONDS.day / SECONDS[unit]));
}

/** The burst of a limit that names none: that of iptables and nft, as far as the rate allows it. */
export function defaultBurst(count: number, unit: TimeUnit): number {
  return Math.min(5, largestBurst(count, unit));
}

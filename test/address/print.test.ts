import fc from "fast-check";
import { Address6 } from "ip-address";
import { describe, expect, test } from "vitest";
import { prefixesOf, printAddress, printPrefix, printRange } from "../../src/address/print.ts";
import { type Family, lastAddress, mergeRanges } from "../../src/address/ranges.ts";

describe("IPv6, as RFC 5952 wants it", () => {
  test.each([
    [0n, "::"],
    [1n, "::1"],
    [0x20010db8_00000000_00000000_00000001n, "2001:db8::1"],
    // 4.2.2: one group of zeros is no run.
    [0x20010db8_00000001_00010001_00010001n, "2001:db8:0:1:1:1:1:1"],
    // 4.2.3: the longest run, and of equal ones the first.
    [0x20010000_00000001_00000000_00000001n, "2001:0:0:1::1"],
    [0x20010db8_00000000_00010000_00000001n, "2001:db8::1:0:0:1"],
    [0x20010db8_00000000_00000000_00000000n, "2001:db8::"],
    [lastAddress(6), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    // 5: what is known to hold IPv4 shows it.
    [0xffff_c0000201n, "::ffff:192.0.2.1"],
  ])("%#", (address, text) => {
    expect(printAddress(6, address)).toBe(text);
  });

  test("agrees with the package", () => {
    // Mostly zeros, or there would hardly be a run.
    const group = fc.oneof(
      { weight: 2, arbitrary: fc.constant(0n) },
      { weight: 1, arbitrary: fc.bigInt(0n, 0xffffn) },
    );
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const address = groups.reduce((number, next) => (number << 16n) | next, 0n);
        const text = printAddress(6, address);
        expect(new Address6(text).bigInt()).toBe(address);
        if (address >> 32n !== 0xffffn) expect(text).toBe(Address6.fromBigInt(address).correctForm());
      }),
    );
  });
});

describe("prefixes and ranges", () => {
  test.each<[Family, bigint, bigint, string]>([
    [4, 0n, lastAddress(4), "0.0.0.0/0"],
    [4, 0xc0000201n, 0xc0000201n, "192.0.2.1"],
    [4, 0xc0000200n, 0xc00002ffn, "192.0.2.0/24"],
    [4, 0xc0000200n, 0xc00002fen, "192.0.2.0-192.0.2.254"],
    [6, 0n, lastAddress(6), "::/0"],
    [6, 1n, 2n, "::1-::2"],
  ])("%i, %i to %i", (family, first, last, text) => {
    expect(printRange(family, { first, last })).toBe(text);
  });

  test("the worst cases", () => {
    expect(prefixesOf(4, { first: 1n, last: lastAddress(4) - 1n })).toHaveLength(62);
    expect(prefixesOf(6, { first: 1n, last: lastAddress(6) - 1n })).toHaveLength(254);
  });

  test("together, the prefixes are the range", () => {
    const family = fc.constantFrom<Family>(4, 6);
    const range = family.chain((chosen) => {
      const address = fc.oneof(fc.bigInt(0n, lastAddress(chosen)), fc.bigInt(0n, 40n));
      return fc.tuple(fc.constant(chosen), address, address);
    });
    fc.assert(
      fc.property(range, ([chosen, a, b]) => {
        const [first, last] = a < b ? [a, b] : [b, a];
        const bits = chosen === 4 ? 32 : 128;
        const prefixes = prefixesOf(chosen, { first, last });
        const ranges = prefixes.map(({ address, length }) => {
          expect(length).toBeGreaterThanOrEqual(0);
          expect(address % (1n << BigInt(bits - length))).toBe(0n);
          return { first: address, last: address + (1n << BigInt(bits - length)) - 1n };
        });
        expect(mergeRanges(ranges)).toEqual([{ first, last }]);
        expect(prefixes.every((prefix) => printPrefix(chosen, prefix) !== "")).toBe(true);
        // Two neighbours of equal length that could be one would make the list longer than it has to be.
        for (const [index, prefix] of prefixes.entries()) {
          const next = prefixes[index + 1];
          const size = 1n << BigInt(bits - prefix.length);
          expect(next?.length === prefix.length && prefix.address % (2n * size) === 0n).toBe(false);
        }
      }),
    );
  });
});

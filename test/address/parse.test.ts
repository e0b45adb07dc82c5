import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../../src/address/parse.ts";
import { printAddress, printPrefix } from "../../src/address/print.ts";
import { type Family, lastAddress } from "../../src/address/ranges.ts";

/** The addresses that a text stands for, printed; or why it stands for none, with what it should have been. */
function parsed(text: string): string | { reason: string; suggestion: string | null } {
  const result = parseAddress(text);
  if (!result.ok) return { reason: result.reason, suggestion: result.suggestion };
  return `${printAddress(result.family, result.first)}-${printAddress(result.family, result.last)}`;
}

describe("what is an address", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1-192.0.2.1"],
    ["0.0.0.0", "0.0.0.0-0.0.0.0"],
    ["255.255.255.255", "255.255.255.255-255.255.255.255"],
    ["10.0.0.0/8", "10.0.0.0-10.255.255.255"],
    ["0.0.0.0/0", "0.0.0.0-255.255.255.255"],
    ["192.0.2.1/32", "192.0.2.1-192.0.2.1"],
    ["192.0.2.10-192.0.2.20", "192.0.2.10-192.0.2.20"],
    ["192.0.2.10-192.0.2.10", "192.0.2.10-192.0.2.10"],
    ["::", "::-::"],
    ["::1", "::1-::1"],
    ["2001:DB8::1", "2001:db8::1-2001:db8::1"],
    ["2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201-64:ff9b::c000:201"],
    ["2001:db8::1-2001:db8::f", "2001:db8::1-2001:db8::f"],
    ["::-ffff::", "::-ffff::"],
  ])("%s", (text, range) => {
    expect(parsed(text)).toBe(range);
  });
});

describe("what has bits set behind its prefix", () => {
  test.each([
    ["10.1.0.0/8", "10.0.0.0/8"],
    ["192.0.2.1/31", "192.0.2.0/31"],
    ["255.255.255.255/0", "0.0.0.0/0"],
    ["2001:db8::1/32", "2001:db8::/32"],
    ["::1/0", "::/0"],
  ])("%s", (text, suggestion) => {
    expect(parsed(text)).toEqual({ reason: "host-bits", suggestion });
  });
});

describe("what programs read differently", () => {
  test.each([
    ["010.0.0.1", "10.0.0.1"],
    ["10.0.0.01", "10.0.0.1"],
    ["192.168.001.001", "192.168.1.1"],
    ["0377.0.0.1", null],
    ["10.1", null],
    ["10.1.2", null],
    ["10.1/16", "10.1.0.0/16"],
    ["10/8", "10.0.0.0/8"],
    ["10.1.2/16", "10.1.0.0/16"],
    ["192.0.2.10-20", "192.0.2.10-192.0.2.20"],
    ["192.0.2.10-300", null],
  ])("%s", (text, suggestion) => {
    expect(parsed(text)).toEqual({ reason: "ambiguous", suggestion });
  });
});

describe("what is no address", () => {
  test.each([
    ["10.0.0.0/08", "10.0.0.0/8"],
    ["10.0.0.0/33", null],
    ["2001:db8::/129", null],
    ["10.0.0.0/", null],
    ["10.0.0.0/x", null],
    ["10.0.0.0/-1", null],
    ["10.0.0.0/255.0.0.0", "10.0.0.0/8"],
    ["10.0.0.0/0.0.0.255", null],
    ["10.0.0.0/8/8", null],
    ["192.0.2.20-192.0.2.10", "192.0.2.10-192.0.2.20"],
    ["2001:db8::2-2001:db8::1", "2001:db8::1-2001:db8::2"],
    ["192.0.2.1-2001:db8::1", null],
    ["10.0.0.0/8-11.0.0.0/8", null],
    ["10.0.0.1-10.0.0.2-10.0.0.3", null],
    ["10.0.0.1-", null],
    ["-10.0.0.1", null],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%eth0/64", "fe80::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["::ffff:192.0.2.0/120", "192.0.2.0/24"],
    ["::ffff:192.0.2.1-::ffff:192.0.2.9", "192.0.2.1-192.0.2.9"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1 port 443"],
    ["192.0.2.1:443", "192.0.2.1 port 443"],
    ["10.0.*", "10.0.0.0/16"],
    ["10.*", "10.0.0.0/8"],
    ["256.0.0.1", null],
    ["1.2.3.4.5", null],
    ["1..2.3", null],
    [".1.2.3", null],
    ["1.2.3.4.", null],
    ["10", null],
    ["0x0a000001", null],
    ["0x0a.0.0.1", null],
    ["1:2:3", null],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1::2::3", null],
    [":::", null],
    ["12345::", null],
    ["g::", null],
    ["::1.2.3", null],
    ["::01.2.3.4", null],
    ["example.com", null],
    ["٣.0.0.1", null],
    ["", null],
    ["/", null],
    ["-", null],
    [" 10.0.0.1", null],
    ["10.0.0.1\n", null],
  ])("%j", (text, suggestion) => {
    expect(parsed(text)).toEqual({ reason: "invalid", suggestion });
  });

  test("an endless one, said in few words", () => {
    const result = parseAddress("1".repeat(1_000_000));
    expect(result).toMatchObject({ ok: false, reason: "invalid" });
    expect(JSON.stringify(result).length).toBeLessThan(200);
  });
});

describe("reasons", () => {
  test.each([
    ["010.0.0.1", "octal"],
    ["10.1", "four numbers"],
    ["10.0.0.0/33", "at most 32 bits, not 33"],
    ["10.1.0.0/8", "bits set behind its prefix of 8 bits"],
    ["256.1.1.1", "`256`"],
    ["1:2:3", "has 3 groups"],
    ["1::2::3", "`::` more than once"],
    ["::12345", "`12345`"],
    ["1:2:3:4:5:6:7:8:9", "too many groups"],
    ["example.com", "host name"],
    ["fe80::1%eth0", "zone"],
    ["10.0.0.1-::1", "begins with IPv4 and ends with IPv6"],
    ["10.0.0.0/255.0.0.0", "netmask"],
    ["10.0.0.0/", "lacks its prefix length"],
  ])("%s", (text, words) => {
    expect(parseAddress(text)).toMatchObject({ ok: false, message: expect.stringContaining(words) });
  });
});

describe("in general", () => {
  const families = fc.constantFrom<Family>(4, 6);
  const address = (family: Family) => fc.bigInt({ min: 0n, max: lastAddress(family) });

  test("what is printed is read back", () => {
    fc.assert(
      fc.property(
        families.chain((family) =>
          fc.tuple(fc.constant(family), address(family), fc.nat(family === 4 ? 32 : 128)),
        ),
        ([family, value, length]) => {
          fc.pre(value >> 32n !== 0xffffn || family === 4);
          const hostBits = lastAddress(family) >> BigInt(length);
          const first = value & ~hostBits;
          const text = printPrefix(family, { address: first, length });
          expect(parseAddress(text)).toEqual({ ok: true, family, first, last: first | hostBits });
        },
      ),
    );
  });

  test("a suggestion is itself right", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "10.1",
        "10.0.0.1",
        "010.0.0.1",
        "::1",
        "2001:db8::",
        "::ffff:1.2.3.4",
        "/8",
        "/255.0.0.0",
        "-",
        "%eth0",
        "[",
        "]",
        ":80",
        ".*",
        "0",
        "1",
        "300",
        ".",
      ),
      fc.nat(400).map(String),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const result = parseAddress(pieces.join(""));
        if (result.ok || result.suggestion === null) return;
        const [suggested] = result.suggestion.split(" port ");
        expect(parseAddress(suggested!)).toMatchObject({ ok: true });
      }),
      { numRuns: 2000 },
    );
  });

  // The package is the judge; our own dotted quad is only faster.
  test("no IPv4 address is read otherwise than the package reads it", () => {
    const octet = fc.oneof(
      fc.nat(300).map(String),
      fc.constantFrom("", "00", "01", "0x1", "-1", "+1", " 1", "1e1"),
    );
    fc.assert(
      fc.property(fc.array(octet, { minLength: 3, maxLength: 5 }), (octets) => {
        const text = octets.join(".");
        const result = parseAddress(text);
        expect(result.ok).toBe(Address4.isValid(text));
        if (result.ok) expect(result.first).toBe(new Address4(text).bigInt());
      }),
      { numRuns: 2000 },
    );
  });

  test("no IPv6 address is read otherwise than the package reads it", () => {
    const group = fc.oneof(
      fc.nat(0xffff).map((number) => number.toString(16)),
      fc.constantFrom("", "0", "0000", "00000", "g", "1.2.3.4"),
    );
    fc.assert(
      fc.property(fc.array(group, { minLength: 2, maxLength: 9 }), (groups) => {
        const text = groups.join(":");
        const result = parseAddress(text);
        const isValid = Address6.isValid(text);
        const isMapped = isValid && new Address6(text).bigInt() >> 32n === 0xffffn;
        expect(result.ok).toBe(isValid && !isMapped);
        if (result.ok) expect(result.first).toBe(new Address6(text).bigInt());
      }),
      { numRuns: 2000 },
    );
  });
});

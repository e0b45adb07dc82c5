import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, firstInvalidByte } from "../../src/cli/utf8.ts";

/** Bytes at the edges of Unicode's table of well-formed sequences. */
const EDGES = [
  0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
].concat([0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]);

test("the first invalid byte stands where a lenient decoder puts its first replacement character", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EDGES), { maxLength: 12 }), (list) => {
      const bytes = Uint8Array.from(list);
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      // EF BF BD, the replacement character itself, cannot be made of these bytes.
      const replaced = text.indexOf("\ufffd");
      const valid = replaced < 0 ? text : text.slice(0, replaced);
      expect(firstInvalidByte(bytes)).toBe(Buffer.byteLength(valid));
      expect(firstInvalidByte(bytes) === bytes.length).toBe(isUtf8(bytes));
    }),
    { numRuns: 20_000 },
  );
});

test("a byte order mark stays, so that offsets fit the file", () => {
  const decoded = decodeUtf8("p.yaml", Buffer.from("\ufeffversion: 1\n"));
  expect(decoded).toEqual({ kind: "text", source: { name: "p.yaml", text: "\ufeffversion: 1\n" } });
});

test("the bad byte is underlined where it stands among longer characters", () => {
  const decoded = decodeUtf8("p.yaml", Buffer.concat([Buffer.from("日本 👍"), Buffer.from([0xff])]));
  if (decoded.kind !== "not-text") throw new Error("it was taken for text");
  const { start, end, source } = decoded.finding.span;
  expect(source.text.slice(start, end)).toBe("\ufffd");
  expect(source.text.slice(0, start)).toBe("日本 👍");
});

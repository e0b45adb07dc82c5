import { isUtf8 } from "node:buffer";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";

/** A file as text, or what is wrong with its bytes. */
export type Decoded =
  | { readonly kind: "text"; readonly source: Source }
  | { readonly kind: "not-text"; readonly finding: Finding };

/** Decodes UTF-8 strictly. A byte order mark stays in the text: offsets must fit the file. */
export function decodeUtf8(name: string, bytes: Uint8Array): Decoded {
  if (isUtf8(bytes)) {
    return {
      kind: "text",
      source: { name, text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) },
    };
  }
  const offset = firstInvalidByte(bytes);
  const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
  // What cannot be read shows as U+FFFD, each bad byte at least one.
  const source: Source = { name, text: lenient.decode(bytes) };
  const start = lenient.decode(bytes.subarray(0, offset)).length;
  const byte = `0x${bytes[offset]!.toString(16).toUpperCase().padStart(2, "0")}`;
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return {
    kind: "not-text",
    finding: {
      check: "invalid-utf8",
      level: "error",
      message: utf16
        ? "the file is UTF-16; ctc reads UTF-8"
        : `the file is not UTF-8: byte ${byte} at offset ${offset} belongs to no character`,
      span: { source, start, end: start + 1 },
      help: utf16
        ? "convert it, for example with `iconv -f UTF-16 -t UTF-8`"
        : "save the file as UTF-8; for a file in Latin-1, `iconv -f LATIN1 -t UTF-8` converts it",
    },
  };
}

/** Offset of the first byte that is not part of a well-formed sequence (Unicode 16, table 3-7); the length if all are. */
export function firstInvalidByte(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return bytes.length;
}

/** Length of the well-formed sequence that starts here; 0 if none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) === 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    let low = 0x80;
    let high = 0xbf;
    if (i === 1) {
      if (lead === 0xe0) low = 0xa0;
      if (lead === 0xed) high = 0x9f;
      if (lead === 0xf0) low = 0x90;
      if (lead === 0xf4) high = 0x8f;
    }
    if (byte < low || byte > high) return 0;
  }
  return length;
}

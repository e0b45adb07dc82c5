import type { Syntax } from "./syntax.ts";

/*
 * Railroad diagrams. Each piece knows how far it reaches to the right of, above and below the point where the track
 * enters it, and draws itself there; the track leaves it on the same height.
 */

interface Piece {
  readonly width: number;
  readonly above: number;
  readonly below: number;
  draw(x: number, y: number): string;
}

const CHARACTER = 7.8;
const BOX = 24;
const GAP = 10;
/** The radius of a bend. */
const BEND = 10;

/** The diagram of a rule as an SVG file that is readable on light and on dark ground. */
export function railroad(syntax: Syntax): string {
  const piece = pieceOf(syntax);
  const width = Math.ceil(piece.width) + 4 * GAP;
  const height = Math.ceil(piece.above + piece.below) + 2 * GAP;
  const y = piece.above + GAP;
  const x = 2 * GAP;
  const ends = `M${GAP} ${y - 8}v16m0 -8h${GAP}M${x + piece.width} ${y}h${GAP}m0 -8v16`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
path { fill: none; stroke: #57606a; stroke-width: 1.5 }
rect { fill: #f6f8fa; stroke: #57606a }
rect.keyword { fill: #ddf4ff; stroke: #0969da }
text { font: 13px ui-monospace, monospace; fill: #1f2328; text-anchor: middle }
@media (prefers-color-scheme: dark) {
path { stroke: #8b949e }
rect { fill: #21262d; stroke: #8b949e }
rect.keyword { fill: #121d2f; stroke: #388bfd }
text { fill: #e6edf3 }
}
</style>
${path(ends)}${piece.draw(x, y)}</svg>
`;
}

function pieceOf(syntax: Syntax): Piece {
  switch (syntax.kind) {
    case "keyword":
      return box(syntax.text, "keyword");
    case "reference":
      return box(syntax.name, "reference");
    case "sequence":
      return sequence(syntax.items.map(pieceOf));
    case "choice":
      return choice(syntax.items.map(pieceOf));
    case "optional":
      return optional(pieceOf(syntax.item));
    case "repeat":
      return repeat(pieceOf(syntax.item), syntax.separator && pieceOf(syntax.separator));
  }
}

/** Keywords are round, what stands for something else is square. */
function box(text: string, kind: "keyword" | "reference"): Piece {
  const width = text.length * CHARACTER + 20;
  return {
    width,
    above: BOX / 2,
    below: BOX / 2,
    draw: (x, y) =>
      `<rect class="${kind}" x="${round(x)}" y="${round(y - BOX / 2)}" width="${round(width)}" height="${BOX}" rx="${kind === "keyword" ? BOX / 2 : 2}"/>` +
      `<text x="${round(x + width / 2)}" y="${round(y + 4.5)}">${escaped(text)}</text>\n`,
  };
}

function sequence(pieces: readonly Piece[]): Piece {
  return {
    width: pieces.reduce((sum, piece) => sum + piece.width, (pieces.length - 1) * GAP),
    above: Math.max(...pieces.map((piece) => piece.above)),
    below: Math.max(...pieces.map((piece) => piece.below)),
    draw(x, y) {
      let drawn = "";
      let at = x;
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) {
          drawn += path(`M${round(at)} ${round(y)}h${GAP}`);
          at += GAP;
        }
        drawn += piece.draw(at, y);
        at += piece.width;
      }
      return drawn;
    },
  };
}

/** The first alternative on the track, the others below it. */
function choice(pieces: readonly Piece[]): Piece {
  const inner = Math.max(...pieces.map((piece) => piece.width));
  const depths: number[] = [];
  let depth = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) depth = Math.max(depth + piece.above + GAP, 2 * BEND);
    depths.push(depth);
    depth += piece.below;
  }
  return {
    width: inner + 4 * BEND,
    above: pieces[0]!.above,
    below: depth,
    draw(x, y) {
      const right = x + 2 * BEND + inner;
      return pieces
        .map((piece, index) => {
          const at = y + depths[index]!;
          const drop = depths[index]! - 2 * BEND;
          const enter =
            index === 0
              ? `M${round(x)} ${round(y)}h${2 * BEND}`
              : `M${round(x)} ${round(y)}q${BEND} 0 ${BEND} ${BEND}v${round(drop)}q0 ${BEND} ${BEND} ${BEND}`;
          const after = x + 2 * BEND + piece.width;
          const leave =
            index === 0
              ? `M${round(after)} ${round(at)}H${round(right + 2 * BEND)}`
              : `M${round(after)} ${round(at)}H${round(right)}q${BEND} 0 ${BEND} ${-BEND}v${round(-drop)}q0 ${-BEND} ${BEND} ${-BEND}`;
          return path(enter) + piece.draw(x + 2 * BEND, at) + path(leave);
        })
        .join("");
    },
  };
}

/** A way past it, above. */
function optional(piece: Piece): Piece {
  const rise = Math.max(piece.above + GAP, 2 * BEND);
  return {
    width: piece.width + 4 * BEND,
    above: rise,
    below: piece.below,
    draw(x, y) {
      const climb = rise - 2 * BEND;
      const past =
        `M${round(x)} ${round(y)}q${BEND} 0 ${BEND} ${-BEND}v${round(-climb)}q0 ${-BEND} ${BEND} ${-BEND}` +
        `h${round(piece.width)}q${BEND} 0 ${BEND} ${BEND}v${round(climb)}q0 ${BEND} ${BEND} ${BEND}`;
      const through = `M${round(x)} ${round(y)}h${2 * BEND}m${round(piece.width)} 0h${2 * BEND}`;
      return path(past) + path(through) + piece.draw(x + 2 * BEND, y);
    },
  };
}

/** A way back to it, below, on which the separator stands. */
function repeat(piece: Piece, separator: Piece | null): Piece {
  const inner = Math.max(piece.width, separator?.width ?? 0);
  const depth = Math.max(piece.below + GAP + (separator?.above ?? 0), 2 * BEND);
  return {
    width: inner + 2 * BEND,
    above: piece.above,
    below: depth + (separator?.below ?? 0),
    draw(x, y) {
      const left = x + BEND;
      const sink = depth - 2 * BEND;
      const back = y + depth;
      const separatorAt = left + (inner - (separator?.width ?? 0)) / 2;
      const through = `M${round(x)} ${round(y)}h${BEND}m${round(piece.width)} 0H${round(x + inner + 2 * BEND)}`;
      const down = `M${round(left + inner)} ${round(y)}q${BEND} 0 ${BEND} ${BEND}v${round(sink)}q0 ${BEND} ${-BEND} ${BEND}`;
      const home = `H${round(left)}q${-BEND} 0 ${-BEND} ${-BEND}v${round(-sink)}q0 ${-BEND} ${BEND} ${-BEND}`;
      const way = separator
        ? `${down}H${round(separatorAt + separator.width)}M${round(separatorAt)} ${round(back)}${home}`
        : `${down}${home}`;
      return path(through) + path(way) + piece.draw(left, y) + (separator?.draw(separatorAt, back) ?? "");
    },
  };
}

function path(d: string): string {
  return `<path d="${d}"/>\n`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

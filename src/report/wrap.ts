/**
 * Markdown with its long lines broken at blanks, for a screen of `width` columns. Code blocks stay as they are; what
 * continues an item or a row of a list is indented as its text is.
 */
export function wrapMarkdown(text: string, width: number): string {
  let fence: string | null = null;
  return text
    .split("\n")
    .flatMap((line) => {
      const mark = /^(`{3,})/.exec(line)?.[1];
      if (mark && (fence === null || mark === fence)) {
        fence = fence === null ? mark : null;
        return [line];
      }
      return fence === null ? wrapLine(line, width) : [line];
    })
    .join("\n");
}

/** A line as several; `  name   text` and `- text` go on below their text. A word that is too long stands alone. */
export function wrapLine(line: string, width: number): readonly string[] {
  const hang = /^(?: *\S+ {2,}|- |\d+\. | +)(?=\S)/.exec(line)?.[0].length ?? 0;
  const indent = " ".repeat(hang > width / 2 ? 0 : hang);
  const rows: string[] = [];
  let row = line.slice(0, hang);
  let isEmpty = true;
  for (const word of line.slice(hang).split(" ")) {
    if (!isEmpty && row.length + 1 + word.length > width) {
      rows.push(row);
      row = indent;
      isEmpty = true;
    }
    row += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...rows, row];
}

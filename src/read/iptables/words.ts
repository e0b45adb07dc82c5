/** One argument of a line: its text without the quotes, and where it stands in the file. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/**
 * The arguments of a line, cut as `iptables-restore` cuts them (`add_param_to_argv` of iptables 1.8): blanks and tabs
 * part them, double quotes hold them together, and only inside those a backslash makes the next character a plain one. A
 * closing quote ends the argument. Single quotes mean nothing. `start` and `end` bound the line in the file.
 */
export function cutWords(text: string, start: number, end: number): readonly Word[] {
  const words: Word[] = [];
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === BLANK || code === TAB) {
      at++;
      continue;
    }
    const word = cutWord(text, at, end);
    words.push(word);
    at = word.end;
  }
  return words;
}

const BLANK = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function cutWord(text: string, start: number, end: number): Word {
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === BLANK || code === TAB) break;
    if (code === QUOTE) return cutQuoted(text, start, at, end);
    at++;
  }
  return { text: text.slice(start, at), start, end: at, quoted: false };
}

/** A word with a quote at `open`. Without a closing quote it lasts to the end of the line. */
function cutQuoted(text: string, start: number, open: number, end: number): Word {
  const parts = [text.slice(start, open)];
  let from = open + 1;
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) {
      parts.push(text.slice(from, at));
      from = ++at;
    }
    at++;
  }
  parts.push(text.slice(from, Math.min(at, end)));
  return { text: parts.join(""), start, end: Math.min(at + 1, end), quoted: true };
}

import { styleText } from "node:util";

/** The part that a piece of text plays in a report. */
export type Role = "error" | "warning" | "strong" | "frame" | "related" | "help" | "added" | "removed";

/** Colours text for a role. Whether to colour at all is the caller's to decide. */
export type Paint = (role: Role, text: string) => string;

/** No colours. */
export const plain: Paint = (_role, text) => text;

/** ANSI colours of the terminal's own palette, readable on dark and on light ground. */
export const coloured: Paint = (role, text) =>
  text === "" ? "" : styleText(STYLES[role], text, { validateStream: false });

const STYLES: Record<Role, Parameters<typeof styleText>[0]> = {
  error: ["bold", "red"],
  warning: ["bold", "yellow"],
  strong: ["bold"],
  frame: ["bold", "blue"],
  related: ["bold", "blue"],
  help: ["bold", "cyan"],
  added: ["green"],
  removed: ["red"],
};

/**
 * What the exit codes of every command mean. Where a command is to compare something or to answer a question, a policy
 * with errors is an input that cannot be used: 1 is an answer then.
 */
export const EXIT = {
  clean: 0,
  /** There are findings, or what was compared is not equal. */
  findings: 1,
  /** The command line, the input or the output cannot be used. */
  unusable: 2,
  /** A bug in ctc. */
  bug: 3,
  /** The reader of standard output went away: what a shell reports for a program that SIGPIPE ended. */
  brokenPipe: 141,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];

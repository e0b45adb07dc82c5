import type { main } from "./main.ts";

/** The program, ready to run. */
export interface Loaded {
  readonly main: typeof main;
  /** Keeps the code that this run has compiled, so that the next one need not compile it. Never fails. */
  keep(): void;
}

/** Loads the program from its source. What the build puts in its place is `load-bundle.ts`. */
export async function load(_cache: string | null): Promise<Loaded> {
  const { main } = await import("./main.ts");
  return { main, keep() {} };
}

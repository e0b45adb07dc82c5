import type { SetCosts } from "../../../src/lower/ipset/cost.ts";

/** In a small world few lists are as long as those for which sets are made, so there sets cost nothing. */
export const SETS_EVERYWHERE: SetCosts = { least: 3, asking: 0, length: 0, coldLength: 0 };

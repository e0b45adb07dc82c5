import type { Page } from "./page.ts";

export const inconclusive: Page = {
  name: "inconclusive",
  finds:
    "A policy whose meaning takes more memory to work out than ctc may use. Where a proof is among what could not be settled it is an error, and nothing is emitted; otherwise it is a warning, which can be ignored.",
  matters:
    "To tell what becomes of every packet, ctc makes the rules into decision diagrams. A hundred thousand ordinary rules fit; rules that cross each other in every field at once may not. What is not proved may be wrong, so ctc says so instead of guessing.",
  example: null,
  instead: "Put addresses that are treated alike into one list, and one rule in the place of many.",
  correct: [],
};

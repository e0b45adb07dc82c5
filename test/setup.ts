import fc from "fast-check";

/**
 * Properties draw new samples at every run on a developer's machine, where a failure is a find. In CI a run says whether a
 * change broke something, so there it draws the same samples every time; `CTC_SEED` asks for others.
 */
const seed = process.env.CTC_SEED ?? (process.env.CI === "true" ? "20261121" : undefined);
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

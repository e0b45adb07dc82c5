import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    // Kernel tests make namespaces and saturate both cores; one file at a time keeps their timing honest.
    fileParallelism: true,
  },
});

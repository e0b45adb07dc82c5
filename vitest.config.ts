import { defineConfig } from "vitest/config";

const setupFiles = ["test/setup.ts"];

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "ctc",
          include: ["test/**/*.test.ts"],
          exclude: ["test/kernel/**"],
          setupFiles,
          testTimeout: 60_000,
          // Left to itself vitest keeps one processor free, which on two is half of them.
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Namespaces, real traffic and real waiting: not while the properties keep both processors busy.
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          setupFiles,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

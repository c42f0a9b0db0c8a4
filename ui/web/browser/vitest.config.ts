// Tests of the built page in a real browser, against real servers. One file at a time: they share two cores, which may
// be busy with other things: times are far beyond what any of it takes.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["browser/**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});

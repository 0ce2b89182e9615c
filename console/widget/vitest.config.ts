import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Browsers and simulated worlds take their time on a busy machine: what hangs is ended all the same.
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});

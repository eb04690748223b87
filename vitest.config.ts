import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "./tools/system-packages.mjs",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Tests open SQLite files and start and kill processes: each file gets a process of its own, not a thread.
    pool: "forks",
    // Two cores is the smallest machine that we promise; a scenario test starts processes of its own beside these.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Scenarios start and kill real processes on shared machines. One that fails twice is broken; one that passes the second
    // time is printed as retried, to be looked at.
    retry: process.env["CI"] === "true" ? 1 : 0,
    reporters: ["default", "./tools/test-reporter.mjs"],
  },
});

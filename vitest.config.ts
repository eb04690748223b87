import { globSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";

/** Scenarios that drive whole simulated machines: `npm run test:windows`. The other suite stays quick enough to be run often. */
const ON_MACHINES = ["test/windows/**/*.test.ts", "test/scenarios/*-on-windows.test.ts"];
/** The command that everything on a machine stands on belongs to both. */
const IN_BOTH = "test/windows/windows-exec.test.ts";
const isOnMachines = process.env["WINDLASS_TEST_SUITE"] === "windows";

export default defineConfig({
  test: {
    globalSetup: "./tools/system-packages.mjs",
    include: isOnMachines ? ON_MACHINES : ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...(isOnMachines ? [] : onMachinesAlone())],
    // Tests open SQLite files and start and kill processes: each file gets a process of its own, not a thread.
    pool: "forks",
    // A fork starts and ends hundreds of heartbeat threads, each of which reads TypeScript by a WebAssembly module that all
    // share; when one of them optimizes its way into that module while another ends, V8 13.6 may abort the process
    // ("jit_page.has_value()", seen twice in some fifty runs). So none does; a program that is built has one such thread, and
    // nothing to strip.
    execArgv: ["--wasm-wrapper-tiering-budget=1000000000"],
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

function onMachinesAlone(): readonly string[] {
  return globSync(ON_MACHINES).filter((path) => path !== IN_BOTH);
}

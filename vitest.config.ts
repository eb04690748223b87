import { globSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";

/** Simulated machines as a whole: `npm run test:windows`. */
const MACHINES = ["test/windows/**/*.test.ts", "test/scenarios/*-on-windows.test.ts"];
/** The program as a whole, in processes of its own, typed, killed and attacked, and as a package: `npm run test:scenarios`. */
const PROCESSES = ["test/scenarios/**/*.test.ts", "test/package/package.test.ts"];
/** What the others stand on belongs to `npm test` too, which is to stay quick enough to be run often. */
const IN_BOTH = ["test/windows/windows-exec.test.ts", "test/scenarios/kills.test.ts"];

const ALL = ["src/**/*.test.ts", "test/**/*.test.ts"];
const SUITES: Readonly<Record<string, { readonly include: readonly string[]; readonly exclude: readonly string[] }>> = {
  default: { include: ALL, exclude: globSync([...MACHINES, ...PROCESSES]).filter((path) => !IN_BOTH.includes(path)) },
  scenarios: { include: PROCESSES, exclude: globSync(MACHINES) },
  windows: { include: MACHINES, exclude: [] },
  all: { include: ALL, exclude: [] },
};
// A file that is named runs, whichever suite it is of.
const isNamed = process.argv.some((word) => word.endsWith(".test.ts"));
const suite = SUITES[process.env["WINDLASS_TEST_SUITE"] ?? (isNamed ? "all" : "default")];
if (suite === undefined) throw new Error(`WINDLASS_TEST_SUITE must be one of ${Object.keys(SUITES).join(", ")}`);

export default defineConfig({
  test: {
    globalSetup: "./tools/system-packages.mjs",
    include: [...suite.include],
    exclude: [...configDefaults.exclude, ...suite.exclude],
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

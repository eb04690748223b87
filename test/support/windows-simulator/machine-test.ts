import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base } from "vitest";
import { guardMachine } from "./guardian.ts";
import { installWindows } from "./install.ts";
import { endProcesses, runningProcesses } from "./processes.ts";
import { type LineEnd, runLine } from "./run-line.ts";
import { Machine } from "./state.ts";

/** A test with a machine that nobody can reach over SSH, and `run` for lines of its cmd. */
export const test = base.extend<{ machine: Machine; run: (line: string, input?: string) => Promise<LineEnd> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  machine: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "windlass-windows-"));
    const machine = Machine.create(folder);
    const release = guardMachine({ folder });
    installWindows(machine);
    machine.putSession({ id: 1, name: "console" });
    await use(machine);
    for (let left = runningProcesses(folder); left.length > 0; left = runningProcesses(folder)) endProcesses(left);
    machine.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    await release();
  },
  run: ({ machine }, use) => use((line, input = "") => runLine(machine, line, { input })),
});

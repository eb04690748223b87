import { afterEach, beforeEach, expect, test } from "vitest";
import { CliFolder } from "../../../test/support/cli.ts";
import { needs } from "../../../test/support/system.ts";
import { startWindowsSimulator, type WindowsSimulator } from "../../../test/support/windows-simulator/simulator.ts";
import { systemClock } from "../../clock.ts";
import { loadConfig } from "../../config/load.ts";
import { findHost } from "../../host/inventory.ts";
import { askHost, CLOCK } from "../../host/powershell/scripts.ts";
import { Session } from "./session.ts";

needs("ssh", "sshd");

let windows: WindowsSimulator;
let folder: CliFolder;
beforeEach(async () => {
  folder = new CliFolder();
  windows = await startWindowsSimulator();
});
afterEach(async () => {
  await windows.stop();
  await folder[Symbol.asyncDispose]();
});

async function open(timeout: string, signal = AbortSignal.timeout(60_000)): Promise<Session> {
  const configPath = folder.write("windlass.json", JSON.stringify({ windows: windows.config(), timeout }));
  const { config } = await loadConfig({ configPath, env: {}, flags: {}, cwd: folder.path, home: folder.path });
  return new Session(findHost(config), { config, clock: systemClock, signal });
}

test("all questions go to one PowerShell", async () => {
  await using session = await open("20s");
  const pids = await Promise.all([1, 2, 3].map(() => session.lend(async ({ pid }) => pid)));
  expect(new Set(pids.map((answer) => answer.kind === "said" && answer.value)).size).toBe(1);
  expect(await session.ask(CLOCK, {})).toMatchObject({ kind: "said", value: { utc_ms: expect.any(Number) } });
});

test("a PowerShell that was lost is started once more for a question", async () => {
  await using session = await open("20s");
  await session.lend(async () => {
    for (const { pid } of windows.processes("powershell.exe")) process.kill(pid, "SIGKILL");
  });
  expect(await session.ask(CLOCK, {})).toMatchObject({ kind: "said" });
});

test("one that hangs in the middle of a question costs the time limit, and is not waited for", async () => {
  const session = await open("5s");
  const startedMs = performance.now();
  const answer = await session.lend(async (runner, signal) => {
    for (const { pid } of windows.processes("powershell.exe")) process.kill(pid, "SIGSTOP");
    return askHost(runner, CLOCK, {}, { timeoutMs: 30_000, signal });
  });
  expect(answer).toMatchObject({ kind: "failed", error: { code: "TIMEOUT" } });
  await session[Symbol.asyncDispose]();
  // Waiting for what hangs to answer would take ten seconds more.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

test("when nobody waits any more it ends with that reason", async () => {
  const gone = new AbortController();
  await using session = await open("20s", gone.signal);
  gone.abort(new Error("nobody waits"));
  await expect(session.ask(CLOCK, {})).rejects.toThrow("nobody waits");
});

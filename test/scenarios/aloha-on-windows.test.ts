import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ActionServer, type Model, startActionServer } from "../support/aloha-stand-in/action-server.ts";
import { type AlohaClientStandIn, startClient } from "../support/aloha-stand-in/client.ts";
import { CliFolder, type Finished } from "../support/cli.ts";
import { needs } from "../support/system.ts";
import { until } from "../support/until.ts";
import { startWindowsSimulator, type WindowsSimulator } from "../support/windows-simulator/simulator.ts";

// In the place of Windows stands the simulator behind a real sshd, and in the place of Aloha its stand-in, whose log lies
// on the simulated machine's disk.
needs("ssh", "sshd");

const LOG = "C:\\ProgramData\\win-automation\\aloha\\client.log";

let windows: WindowsSimulator;
let server: ActionServer;
let client: AlohaClientStandIn;
let cli: CliFolder;
/** A task that says so waits for this before its second step. */
const held = Promise.withResolvers<void>();

beforeAll(async () => {
  windows = await startWindowsSimulator();
  windows.putFile(LOG, "");
  windows.putFile("C:\\done.txt", "");
  const model: Model = async ({ query, action_history: { length } }) => {
    if (query === "wait" && length === 1) await held.promise;
    return length === 0 || query === "for ever" ? "CLICK" : "STOP";
  };
  server = await startActionServer({ model });
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  client = await startClient({ logPath: windows.path(LOG), wait });
  cli = new CliFolder();
  const aloha = { client_url: client.url, server_url: server.url };
  const config = { windows: windows.config(), aloha, artifacts: { out_dir: "kept" }, timeout: "30s" };
  cli.write(".windlass/config.yaml", JSON.stringify({ ...config, worker: { lease: "2s" } }));
});
afterAll(async () => {
  await cli[Symbol.asyncDispose]();
  await Promise.all([client.stop(), server.stop()]);
  await windows.stop();
});

const run = (...words: string[]): Promise<Finished> => cli.call(["run", "aloha.run", ...words, "--json"]);
const starts = (): number =>
  client.seen.filter(({ on, body }) => on === "POST /run_task" && body.startsWith("{")).length;
const kept = (name: string): string => {
  const names = readdirSync(cli.path, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(name));
  return names.map((one) => readFileSync(join(cli.path, one), "utf8")).join("\n");
};

test("a task is done on the desktop, and its end is read in the client's log over SSH", async () => {
  const { status, stdout, stderr } = await run("--task", "open it");
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(stdout)).toMatchObject({ state: "completed", evidence: { source: "client_log", steps: 2 } });
  expect(kept("aloha/log.txt")).toContain("Task completed. Final screenshot:");
  expect(JSON.parse(kept("aloha/response.json"))).toMatchObject({ state: "completed", ended_by: "log" });
});

test("steps that ran out are a failure of their own kind", async () => {
  const { status, stdout } = await run("--task", "for ever", "--max-steps", "2");
  expect([status, stdout]).toEqual([1, expect.stringContaining("STEP_LIMIT")]);
});

test("work that is done already is skipped", async () => {
  const before = starts();
  const check = "if (Test-Path 'C:\\done.txt') { exit 0 } else { exit 1 }";
  const { status, stdout } = await run("--task", "open it", "--idempotent-check", check);
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { outcome: "skipped" }]);
  expect(starts()).toBe(before);
});

test("a locked desktop blocks the job, and nothing is begun", async () => {
  const before = starts();
  windows.lock();
  const { status, stdout } = await run("--task", "open it");
  windows.unlock();
  expect([status, stdout]).toEqual([1, expect.stringContaining("DESKTOP_LOCKED")]);
  expect(starts()).toBe(before);
});

test("a run whose worker was killed is followed to its end by the next worker, and begun once", async () => {
  const before = starts();
  const { value } = await cli.json<{ job_id: string }>(["jobs", "enqueue", "--type", "aloha.run", "--task", "wait"]);
  const first = await cli.worker();
  await until(() => client.busy || undefined, { what: "the run is on", withinMs: 30_000 });
  first.kill("SIGKILL");
  await first.ended;
  const second = await cli.worker();
  held.resolve();
  const { status, stdout } = await cli.call(["jobs", "wait", value.job_id, "--wait", "60s"]);
  expect([status, stdout]).toEqual([0, expect.stringContaining("state=completed")]);
  expect(starts()).toBe(before + 1);
  second.kill("SIGTERM");
  await second.ended;
});

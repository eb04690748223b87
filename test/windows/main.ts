import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startWindowsSimulator } from "../support/windows-simulator/simulator.ts";
import { askMachine } from "./recording/ask-machine.ts";
import { redact } from "./recording/redact.ts";

/**
 * `npm run test:windows`: the files of this folder, and what else drives whole machines, on the simulator. With WINDLASS_INTEGRATION=1 they run one after the other
 * against the real machine that WINDLASS_WINDOWS_SSH_HOST and its companions name, and what was seen there becomes
 * `recordings/<computer>-<date>.json`. `--rehearse` does that with a simulator in the machine's place, and keeps its recording
 * outside of the checkout. Further words go to vitest.
 */
const { values, positionals } = parseArgs({
  options: { rehearse: { type: "boolean", default: false } },
  allowPositionals: true,
});
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VITEST = join(ROOT, "node_modules/.bin/vitest");

if (values.rehearse) process.exitCode = await rehearse();
else if (process.env["WINDLASS_INTEGRATION"] === "1")
  process.exitCode = await record(process.env, fileURLToPath(new URL("./recordings", import.meta.url)));
else process.exitCode = runTests(process.env);

async function rehearse(): Promise<number> {
  const simulator = await startWindowsSimulator({ maxSessions: 64 });
  try {
    const block = Object.entries(simulator.config()).map(([key, value]) => [
      `WINDLASS_WINDOWS_${key.toUpperCase()}`,
      String(value),
    ]);
    // WINDLASS_TEST_TOOLS: it has the programs of C:\Tools, and PowerShell only for our own scripts.
    const env = { ...process.env, ...Object.fromEntries(block), WINDLASS_INTEGRATION: "1", WINDLASS_TEST_TOOLS: "1" };
    return await record(env, mkdtempSync(join(tmpdir(), "windlass-recordings-")));
  } finally {
    await simulator.stop({ mayAskTheUnknown: true });
  }
}

async function record(env: NodeJS.ProcessEnv, folder: string): Promise<number> {
  const host = env["WINDLASS_WINDOWS_SSH_HOST"] ?? env["WIN_AUTOMATION_WINDOWS_SSH_HOST"];
  if (host === undefined) {
    console.error(
      "WINDLASS_INTEGRATION=1 needs a machine: set WINDLASS_WINDOWS_SSH_HOST, _SSH_USER, _SSH_IDENTITY_FILE, …",
    );
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), "windlass-recording-"));
  const calls = join(scratch, "calls.ndjson");
  writeFileSync(calls, "", { mode: 0o600 });
  try {
    const machine = await askMachine(env, scratch);
    const status = runTests({ ...env, WINDLASS_TEST_RECORDING: calls });
    const seen = readFileSync(calls, "utf8")
      .trimEnd()
      .split("\n")
      .filter((line) => line !== "");
    const text = redact(
      JSON.stringify({ machine, calls: seen.map((line) => JSON.parse(line) as unknown) }, null, 2),
      env,
    );
    const name = `${machine.name}-${new Date().toISOString().slice(0, 10)}.json`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
    console.log(`recorded ${seen.length} calls: ${join(folder, name)}; read it before you share it`);
    return status;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runTests(env: NodeJS.ProcessEnv): number {
  // A real machine is asked by one file after the other.
  const which = env["WINDLASS_INTEGRATION"] === "1" ? ["--no-file-parallelism", "test/windows"] : [];
  const args = ["run", ...which, ...positionals];
  const suite = { ...env, WINDLASS_TEST_SUITE: "windows" };
  return spawnSync(VITEST, args, { cwd: ROOT, stdio: "inherit", env: suite }).status ?? 1;
}

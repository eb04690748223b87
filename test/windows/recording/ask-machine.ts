import { spawnSync } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { systemClock } from "../../../src/clock.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { findHost, type NamedHost } from "../../../src/host/inventory.ts";
import { ownScript } from "../../../src/host/powershell/own-script.ts";
import type { RunnerRequest, ScriptArgument } from "../../../src/host/powershell/request.ts";
import { PowerShellRunner } from "../../../src/host/powershell/runner.ts";
import { SshConnection } from "../../../src/host/ssh/connection.ts";

const LIMIT_MS = 60_000;

/** Our own scripts that only look. */
const LOOKS: readonly (readonly [string, ScriptArgument])[] = [
  ["tell-host", {}],
  ["clock", {}],
  ["desktop-session", {}],
  ["listening-port", { port: 22 }],
  ["scheduled-task", { name: "WinAutomation-Playwright" }],
  ["firewall-rule", { name: "Playwright-9323", port: 9_323, create: false }],
];
/** What each Windows has: the system's own words, its code page, codes beyond 8 bits, both streams. */
const COMMANDS: readonly RunnerRequest[] = [
  { line: "ver" },
  { line: "chcp" },
  { line: "echo out & echo err 1>&2" },
  { argv: ["cmd.exe", "/c", "exit 4660"] },
  { argv: ["no-such-program.exe"] },
  { argv: ["where.exe", "powershell"] },
];

/** What a real machine is, and what it answers to the same questions every time. */
export interface MachineRecord {
  /** Its own name, fit for a file. */
  readonly name: string;
  readonly [fact: string]: unknown;
}

/** Asks the machine that these variables name. @throws AppError when it cannot be reached. */
export async function askMachine(env: NodeJS.ProcessEnv, scratch: string): Promise<MachineRecord> {
  const named = Object.entries(env).filter(([name]) => /^(WINDLASS|WIN_AUTOMATION)_WINDOWS_/.test(name));
  const { config } = await loadConfig({ env: Object.fromEntries(named), cwd: scratch, home: scratch });
  const host = findHost(config);
  const connection = new SshConnection(host, {
    clock: systemClock,
    timeoutMs: LIMIT_MS,
    controlFolder: join(scratch, "c"),
    ownMaster: true,
  });
  try {
    await using runner = await PowerShellRunner.start(connection, {
      clock: systemClock,
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const scripts: Record<string, unknown>[] = [];
    for (const [script, arg] of LOOKS) scripts.push({ script, arg, ...(await answerOf(runner, script, arg)) });
    const commands: Record<string, unknown>[] = [];
    for (const command of COMMANDS) commands.push({ command, ...(await outputOf(runner, command)) });
    const [facts] = scripts as readonly { readonly answer?: { readonly computer?: unknown } }[];
    const computer = String(facts?.answer?.computer ?? "windows");
    return {
      name: computer.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-"),
      recorded_at: new Date().toISOString(),
      powershell: runner.version,
      openssh_server: await greetingOf(host),
      openssh_client: spawnSync("ssh", ["-V"], { encoding: "utf8" }).stderr.trim(),
      windlass: spawnSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" }).stdout.trim(),
      scripts,
      commands,
    };
  } finally {
    await connection.close();
  }
}

async function answerOf(runner: PowerShellRunner, name: string, arg: ScriptArgument): Promise<Record<string, unknown>> {
  const options = { timeoutMs: LIMIT_MS, signal: AbortSignal.timeout(LIMIT_MS) };
  try {
    return { answer: await runner.call(ownScript(name), arg, options) };
  } catch (error) {
    return { error: String(error) };
  }
}

/** Bytes in base64 where they are no UTF-8. */
async function outputOf(runner: PowerShellRunner, command: RunnerRequest): Promise<Record<string, unknown>> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const running = runner.run(command, {
    timeoutMs: LIMIT_MS,
    signal: AbortSignal.timeout(LIMIT_MS),
    stdout: (bytes) => void stdout.push(bytes),
    stderr: (bytes) => void stderr.push(bytes),
  });
  const end = await running.catch((error: unknown) => ({ kind: "error", error: String(error) }));
  return { end, stdout: textOf(Buffer.concat(stdout)), stderr: textOf(Buffer.concat(stderr)) };
}

function textOf(bytes: Buffer): string | { readonly base64: string } {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString("base64") };
}

/** The first line of the SSH server, which names its version; null where another way leads to it. */
async function greetingOf({ sshHost, sshPort }: NamedHost): Promise<string | null> {
  const socket = net.connect({ host: sshHost, port: sshPort, timeout: 5_000 });
  try {
    const [bytes] = (await once(socket, "data", { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return bytes.toString("latin1").split("\r\n")[0] ?? null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

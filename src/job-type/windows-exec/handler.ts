import { AlreadyDone, type EffectContext, type Handlers } from "../../attempt/handlers.ts";
import type { NamedHost } from "../../host/inventory.ts";
import { askScript, type ScriptAnswer } from "../../host/powershell/ask-script.ts";
import type { PowerShellRunner } from "../../host/powershell/runner.ts";
import { useRunner } from "../use-runner.ts";
import { conclude } from "./conclude.ts";
import type { WindowsExecOptions } from "./options.ts";
import { performCommand } from "./perform-command.ts";
import type { WindowsExecInput, WindowsExecResult } from "./windows-exec.ts";

/** The code of `windows.exec`. */
export function windowsExecHandlers(options: WindowsExecOptions): Handlers {
  return {
    run: (input: WindowsExecInput, ctx) => run(input, ctx, options),
    check: (input: WindowsExecInput, ctx) => check(input, ctx, options),
    keeps: () => ["ssh/stdout.txt", "ssh/stderr.txt", "ssh/exit_code.txt"],
    streams: { stdout: "ssh/stdout.txt", stderr: "ssh/stderr.txt" },
  };
}

async function run(
  input: WindowsExecInput,
  ctx: EffectContext,
  options: WindowsExecOptions,
): Promise<WindowsExecResult | AlreadyDone> {
  const host = options.findHost(input.host);
  return useRunner({ runners: options.runners, host }, ctx, async (runner) => {
    const before = await ask(runner, "idempotent_check", input, ctx);
    if (before.answer?.isYes) return new AlreadyDone(nothingToDo(host, before.warnings));
    const performed = await performCommand(input, { runner, host, ctx, options });
    const after = performed.end.kind === "exited" ? await ask(runner, "verify", input, ctx) : NOT_ASKED;
    return conclude(performed, { host, warnings: [...before.warnings, ...after.warnings], verdict: after.answer });
  });
}

/** After a crash: says whether the work of the attempt that died is done. */
async function check(
  input: WindowsExecInput,
  ctx: EffectContext,
  options: WindowsExecOptions,
): Promise<WindowsExecResult | undefined> {
  const host = options.findHost(input.host);
  return useRunner({ runners: options.runners, host }, ctx, async (runner) => {
    const { answer, warnings } = await ask(runner, "idempotent_check", input, ctx);
    return answer?.isYes ? nothingToDo(host, warnings) : undefined;
  });
}

interface Asked {
  /** Absent: the job has no such script. */
  readonly answer?: ScriptAnswer;
  readonly warnings: readonly string[];
}

const NOT_ASKED: Asked = { warnings: [] };

async function ask(
  runner: PowerShellRunner,
  what: "idempotent_check" | "verify",
  input: WindowsExecInput,
  { signal, timeoutMs, log }: EffectContext,
): Promise<Asked> {
  const script = input[what];
  if (script === undefined) return NOT_ASKED;
  const answer = await askScript(runner, { what, script }, { signal, timeoutMs });
  log.info(`${what} was asked`, {
    exit_code: answer.exitCode,
    err: answer.complaint === "" ? undefined : answer.complaint,
  });
  if (answer.warning === undefined) return { answer, warnings: [] };
  log.warn(answer.warning);
  return { answer, warnings: [answer.warning] };
}

function nothingToDo({ name }: NamedHost, warnings: readonly string[]): WindowsExecResult {
  return {
    state: "skipped",
    host: name,
    exit_code: null,
    duration_ms: 0,
    stdout_sha256: null,
    stderr_sha256: null,
    stdout_bytes: 0,
    stderr_bytes: 0,
    verified: false,
    warnings: [...warnings],
  };
}

import { join } from "node:path";
import { KeptOutput, type KeptOutputEnd } from "../../artifact/kept-output.ts";
import type { EffectContext } from "../../attempt/handlers.ts";
import type { NamedHost } from "../../host/inventory.ts";
import type { RunnerRequest } from "../../host/powershell/request.ts";
import type { PowerShellRunner } from "../../host/powershell/runner.ts";
import type { RunnerEnd } from "../../host/powershell/runner-end.ts";
import { writeExitCode } from "../exit-code-file.ts";
import type { WindowsExecOptions } from "./options.ts";
import type { WindowsExecInput } from "./windows-exec.ts";

/** A command that was given to a machine, and what is known of it. */
export interface Performed {
  readonly end: RunnerEnd;
  readonly durationMs: number;
  readonly stdout: KeptOutputEnd;
  readonly stderr: KeptOutputEnd;
}

/** Where a command is run, and for whom. */
export interface Performance {
  readonly runner: PowerShellRunner;
  readonly host: NamedHost;
  readonly ctx: EffectContext;
  readonly options: WindowsExecOptions;
}

/** The attempt's signal comes first; the host's own deadline is for a worker that cannot give it any more. */
const HOST_MARGIN_MS = 5_000;

/**
 * Records the effect, runs the command, and keeps what it printed and how it ended.
 *
 * @throws AppError `LEASE_LOST`: it was not run; `ARGUMENT_UNSAFE`.
 */
export async function performCommand(
  { command }: WindowsExecInput,
  { runner, host, ctx, options }: Performance,
): Promise<Performed> {
  const { clock, machine, keptBytes } = options;
  await using stdout = await KeptOutput.open(join(ctx.folder, "ssh/stdout.txt"), keptBytes);
  await using stderr = await KeptOutput.open(join(ctx.folder, "ssh/stderr.txt"), keptBytes);
  await ctx.recordEffect({ machine, facts: { host: host.name, runner_pid: runner.pid } });
  const request: RunnerRequest = typeof command === "string" ? { line: command } : { argv: command };
  const startedMono = clock.monotonic();
  const end = await runner.run(request, {
    timeoutMs: ctx.timeoutMs + HOST_MARGIN_MS,
    signal: ctx.signal,
    stdout: (bytes) => stdout.write(bytes),
    stderr: (bytes) => stderr.write(bytes),
  });
  const durationMs = Math.round(clock.monotonic() - startedMono);
  await writeExitCode(join(ctx.folder, "ssh/exit_code.txt"), end.kind === "exited" ? end.code : end.kind);
  const [out, err] = await Promise.all([stdout.finish(), stderr.finish()]);
  for (const [stream, { droppedBytes }] of [["stdout", out] as const, ["stderr", err] as const]) {
    if (droppedBytes > 0) ctx.log.warn(`${stream} was cut`, { kept_bytes: keptBytes, dropped_bytes: droppedBytes });
  }
  if (end.kind !== "exited") ctx.log.warn("the command did not end by itself", { end: end.kind, ...stateOf(end) });
  else if (end.leftProcesses > 0) ctx.log.warn("the command left processes behind", { processes: end.leftProcesses });
  return { end, durationMs, stdout: out, stderr: err };
}

/** What becomes of the remote processes, for the record. */
export function stateOf(end: RunnerEnd): { readonly remote_state?: string } {
  return "remoteState" in end ? { remote_state: end.remoteState } : {};
}

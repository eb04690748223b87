import type { EffectContext } from "../../attempt/handlers.ts";
import { endLeftovers, endProgram } from "../../host/local/end-program.ts";
import type { ProgramEnd } from "../../host/local/exit-record.ts";
import type { RunningProgram } from "../../host/local/program.ts";
import type { StopReason } from "../../job/context.ts";
import { conclude, keepExitCode } from "./conclude.ts";
import type { ExecResult } from "./exec.ts";
import type { ExecFiles } from "./files.ts";
import { type HeldOutput, holdOutput } from "./hold-output.ts";
import type { ExecOptions } from "./options.ts";
import { stoppedError } from "./stopped.ts";

/** A program to stay with, and the attempt that does. */
export interface Following {
  readonly ctx: EffectContext;
  readonly options: ExecOptions;
  readonly files: ExecFiles;
  /** How long the program has run by now. */
  elapsedMs(): number;
}

/**
 * Stays with a program to its end, or to the end of the attempt: a cancel and a timeout end the program too, any other
 * reason leaves it to the next worker.
 *
 * @throws AppError `EXIT_NONZERO`; `CANCELLED`, `TIMEOUT` or `LEASE_LOST` when the attempt was stopped;
 *   `PROGRAM_NOT_STARTED` when it never ran.
 */
export async function follow(program: RunningProgram, following: Following): Promise<ExecResult> {
  const { ctx, options, files } = following;
  const output = holdOutput({ ...options, files, log: ctx.log });
  try {
    const first = await endOrStop(program.ended, ctx.signal);
    if (first.kind === "stopped") return await stop(program, first.reason, following, output);
    const durationMs = following.elapsedMs();
    const leftovers = await endLeftovers(program, { clock: options.clock, graceMs: options.killGraceMs });
    if (leftovers > 0) ctx.log.warn("the program left processes behind, which were ended", { processes: leftovers });
    await output.finish();
    return await conclude(first.end, following, durationMs);
  } finally {
    output.stop();
  }
}

async function stop(
  program: RunningProgram,
  reason: StopReason,
  { options, files }: Following,
  output: HeldOutput,
): Promise<never> {
  if (reason === "stopping" || reason === "lease_lost") {
    program.letGo();
    throw stoppedError(reason);
  }
  const end = await endProgram(program, { clock: options.clock, graceMs: options.killGraceMs });
  await output.finish();
  await keepExitCode(end, files);
  throw stoppedError(reason, { exit_code: end.exitCode, signal: end.signal });
}

type First =
  | { readonly kind: "ended"; readonly end: ProgramEnd }
  | { readonly kind: "stopped"; readonly reason: StopReason };

function endOrStop(ended: Promise<ProgramEnd>, signal: AbortSignal): Promise<First> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => resolve({ kind: "stopped", reason: signal.reason as StopReason });
    if (signal.aborted) return stopped();
    signal.addEventListener("abort", stopped, { once: true });
    ended
      .then((end) => resolve({ kind: "ended", end }), reject)
      .finally(() => signal.removeEventListener("abort", stopped));
  });
}

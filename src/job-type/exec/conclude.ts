import { digestFile } from "../../artifact/attempt-folder.ts";
import type { EffectContext } from "../../attempt/handlers.ts";
import { AppError } from "../../error.ts";
import type { ProgramEnd } from "../../host/local/exit-record.ts";
import { tailOf } from "../../host/local/output-file.ts";
import { writeExitCode } from "../exit-code-file.ts";
import type { ExecResult } from "./exec.ts";
import type { ExecFiles } from "./files.ts";

/** What an error shows of stderr. All of it is in the kept file. */
const TAIL = { linesMax: 20, bytesMax: 4_096 };

/**
 * Writes `exec/exit_code.txt` and makes the result of a program that has ended and whose files no one writes any more.
 *
 * @throws AppError `EXIT_NONZERO`, with the whole result and the last lines of stderr in its details.
 */
export async function conclude(
  end: ProgramEnd,
  { files, ctx }: { readonly files: ExecFiles; readonly ctx: Pick<EffectContext, "maskFile"> },
  durationMs: number,
): Promise<ExecResult> {
  await keepExitCode(end, files);
  await Promise.all([ctx.maskFile(files.stdout), ctx.maskFile(files.stderr)]);
  const [stdout, stderr] = await Promise.all([digestFile(files.stdout), digestFile(files.stderr)]);
  const result: ExecResult = {
    exit_code: end.exitCode,
    signal: end.signal,
    duration_ms: Math.max(0, Math.round(durationMs)),
    stdout_sha256: stdout.sha256,
    stderr_sha256: stderr.sha256,
    stdout_bytes: stdout.bytes,
    stderr_bytes: stderr.bytes,
  };
  if (end.exitCode === 0) return result;
  const stderrTail = await tailOf(files.stderr, TAIL);
  const how = end.signal === null ? `exited with code ${end.exitCode}` : `was ended by ${end.signal}`;
  const last = stderrTail.slice(stderrTail.lastIndexOf("\n") + 1).slice(0, 200);
  throw new AppError(
    "EXIT_NONZERO",
    `the program ${how}${last === "" ? "" : `; the last line of its stderr: ${last}`}`,
    {
      details: { ...result, stderr_tail: stderrTail },
    },
  );
}

/** The code, or the name of the signal, as `exec/exit_code.txt`. */
export async function keepExitCode(end: ProgramEnd, files: ExecFiles): Promise<void> {
  await writeExitCode(files.exitCode, end.signal === null ? end.exitCode : end.signal);
}

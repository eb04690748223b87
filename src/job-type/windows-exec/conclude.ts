import { AppError } from "../../error.ts";
import type { NamedHost } from "../../host/inventory.ts";
import type { ScriptAnswer } from "../../host/powershell/ask-script.ts";
import { type Performed, stateOf } from "./perform-command.ts";
import type { WindowsExecResult } from "./windows-exec.ts";

/** What is known beside the command itself. */
export interface Circumstances {
  readonly host: NamedHost;
  readonly warnings: readonly string[];
  /** What `verify` answered, where it was asked. */
  readonly verdict?: ScriptAnswer | undefined;
}

/**
 * Judges a command: by `verify` where there is one, else by its exit code.
 *
 * @throws AppError `EXIT_NONZERO`, `VERIFY_FAILED`, `OUTCOME_UNKNOWN`, and the code of what never ran; the facts stand in
 *   the details.
 */
export function conclude(
  { end, durationMs, stdout, stderr }: Performed,
  { host, warnings, verdict }: Circumstances,
): WindowsExecResult {
  const facts = {
    host: host.name,
    exit_code: end.kind === "exited" ? end.code : null,
    duration_ms: durationMs,
    stdout_sha256: stdout.sha256,
    stderr_sha256: stderr.sha256,
    stdout_bytes: stdout.bytes,
    stderr_bytes: stderr.bytes,
    warnings: [...warnings],
  };
  const details = { ...facts, ...stateOf(end) };
  switch (end.kind) {
    case "failed":
      throw new AppError(end.code, `the command did not run on ${host.name}: ${end.reason}`, { details });
    case "unknown":
      throw new AppError(
        "OUTCOME_UNKNOWN",
        `${end.reason}, so nobody knows what it did on ${host.name} (remote processes: ${end.remoteState}); look, then \`windlass jobs retry\`, or give an idempotent_check that can tell`,
        { details },
      );
    case "cancelled":
      throw new AppError("CANCELLED", "the command was ended before it was done", { details });
    case "timeout":
      throw new AppError("TIMEOUT", "the command ran longer than its timeout", { details });
    case "exited":
      break;
  }
  if (verdict?.isYes) return { ...facts, state: "completed", verified: true };
  if (verdict !== undefined) {
    const complaint = verdict.complaint === "" ? "" : ` (${verdict.complaint})`;
    throw new AppError(
      "VERIFY_FAILED",
      `verify says that the work is not done: it exited ${verdict.exitCode}${complaint}; the command exited ${end.code}`,
      { details },
    );
  }
  if (end.code === 0) return { ...facts, state: "completed", verified: false };
  throw new AppError("EXIT_NONZERO", `the command exited with code ${end.code} on ${host.name}`, { details });
}

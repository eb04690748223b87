import type { Trailer } from "./model/trailer.ts";
import type { Answer } from "./runner/wait-for-reply.ts";

/** What is known of the processes on the host. */
export type RemoteState = "killed" | "unknown";

/** How a command ended. */
export type RunnerEnd =
  /** `code`: unsigned, 32 bits. */
  | { readonly kind: "exited"; readonly code: number; readonly leftProcesses: number }
  | { readonly kind: "cancelled" | "timeout"; readonly remoteState: RemoteState }
  /** It did not run. */
  | { readonly kind: "failed"; readonly reason: string; readonly code: RunnerFailure }
  /** The runner or the connection was lost: it may have run, in part or to its end. */
  | { readonly kind: "unknown"; readonly reason: string; readonly remoteState: RemoteState };

/** Why a command did not run: codes of this program's errors; `SCRIPT_FAILED` is of our own scripts. */
export type RunnerFailure = "ARGUMENT_UNSAFE" | "PROGRAM_NOT_STARTED" | "SCRIPT_FAILED";

const FAILURES: readonly string[] = [
  "ARGUMENT_UNSAFE",
  "PROGRAM_NOT_STARTED",
  "SCRIPT_FAILED",
] satisfies RunnerFailure[];

/** What an answer says; of a runner that fell silent nothing is known. */
export function endOf(answer: Answer): RunnerEnd {
  if (answer.kind === "line") return endOfTrailer(answer.line);
  if (answer.why !== "lost") return { kind: answer.why, remoteState: "unknown" };
  const reason = "the connection or the runner ended before the command did";
  return { kind: "unknown", reason, remoteState: "unknown" };
}

function endOfTrailer({ end, code, left, failure }: Trailer): RunnerEnd {
  if (end === "exited") return { kind: "exited", code, leftProcesses: left };
  const remoteState = left === 0 ? "killed" : "unknown";
  if (end === "cancelled" || end === "timeout") return { kind: end, remoteState };
  if (failure === undefined) {
    return { kind: "unknown", reason: "the runner lost its input before the command ended", remoteState };
  }
  if (isFailure(failure.code)) return { kind: "failed", reason: failure.reason, code: failure.code };
  return { kind: "unknown", reason: `the runner failed: ${failure.reason}`, remoteState: "unknown" };
}

function isFailure(code: string): code is RunnerFailure {
  return FAILURES.includes(code);
}

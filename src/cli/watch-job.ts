import type { Backend } from "../backend/backend.ts";
import type { JobStatus } from "../backend/reading.ts";
import { formatDuration } from "../duration.ts";
import { isAppError } from "../error.ts";
import { jobStatusLine, jobStatusOutput } from "../operations/jobs/status-output.ts";
import type { Call } from "./command.ts";
import { LiveLine } from "./live-line.ts";
import { renderLines } from "./render.ts";
import { neutralise, type Terminal } from "./terminal.ts";

/** What is watched, and for how long. */
export interface WatchRequest {
  readonly backend: Pick<Backend, "settled" | "status">;
  readonly jobId: string;
  /** Default: the job's timeout, from now on. */
  readonly withinMs?: number | undefined;
  /** True where only the end is printed, by the caller. */
  readonly silent: boolean;
  readonly signal: AbortSignal;
}

/**
 * Follows a job to its end: a line for each change, on a terminal one line that lives.
 *
 * @returns its status at the end, or where it stood when the time was up.
 * @throws AppError `JOB_NOT_FOUND`
 */
export async function watchJob(request: WatchRequest, { terminal }: Pick<Call, "terminal">): Promise<JobStatus> {
  const { backend, jobId, silent, signal } = request;
  const first = await backend.settled(jobId, { until: () => true, signal });
  const endMs = performance.now() + (request.withinMs ?? first.timeoutMs);
  using show = silent ? { changed: () => undefined, [Symbol.dispose]: () => undefined } : showChanges(terminal);
  let status = first;
  for (;;) {
    show.changed(status);
    if (status.endedAtMs !== null) return status;
    const before = fingerprint(status);
    try {
      status = await backend.settled(jobId, {
        until: (now) => fingerprint(now) !== before,
        withinMs: Math.max(1, Math.ceil(endMs - performance.now())),
        signal,
      });
    } catch (error) {
      if (isAppError(error) && error.code === "WAIT_TIMEOUT") return (await backend.status(jobId)) ?? status;
      throw error;
    }
  }
}

/** What a change is: anything that a line would say otherwise. */
function fingerprint(status: JobStatus): string {
  const { state, runNumber, attempt, failures, crashes, cancelRequested, progress } = status;
  return JSON.stringify([state, runNumber, attempt, failures, crashes, cancelRequested, progress]);
}

function showChanges(terminal: Terminal): Disposable & { changed(status: JobStatus): void } {
  if (terminal.isPerson) return showLive(terminal);
  return {
    // The last line is the answer itself, which the caller prints.
    changed(status) {
      if (status.endedAtMs === null) terminal.out(renderLines([jobStatusLine(jobStatusOutput(status))], terminal));
    },
    [Symbol.dispose]: () => undefined,
  };
}

function showLive(terminal: Terminal): Disposable & { changed(status: JobStatus): void } {
  let newest: JobStatus | undefined;
  const live = new LiveLine(terminal, () => (newest === undefined ? "" : liveText(newest)));
  return {
    changed(status) {
      newest = status;
      live.refresh();
    },
    [Symbol.dispose]: () => live[Symbol.dispose](),
  };
}

/** The line of a job that is looked at while it lives: type, id, state, how long it runs, how far it is. */
export function liveText({ jobId, type, state, attempt, startedAtMs, progress, cancelRequested }: JobStatus): string {
  const sinceMs = state === "running" && startedAtMs !== null ? Math.max(0, Date.now() - startedAtMs) : undefined;
  const parts = [
    type,
    jobId,
    cancelRequested ? `${state}, cancel requested` : state,
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(sinceMs === undefined ? [] : [formatDuration(Math.floor(sinceMs / 1_000) * 1_000)]),
    ...(progress === null ? [] : [progressText(progress)]),
  ];
  return neutralise(parts.join("  "));
}

function progressText({ done, total, message }: NonNullable<JobStatus["progress"]>): string {
  const share = total === undefined || total <= 0 ? `${done}` : `${done}/${total} ${bar(done / total)}`;
  return message === undefined ? share : `${share} ${message}`;
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * 20);
  return `[${"#".repeat(filled)}${" ".repeat(20 - filled)}]`;
}

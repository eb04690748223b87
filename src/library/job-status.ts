import type { JobStatus as StoredStatus } from "../backend/reading.ts";
import type { ErrorRecord } from "../error.ts";
import type { Progress } from "../job/context.ts";
import type { Priority } from "../job/options.ts";
import type { JobState, Outcome } from "../job/state.ts";
import type { Actor } from "../policy/actor.ts";

/** What is known of a job. */
export interface JobStatus {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  /** A finer word for how it ended, such as `skipped` or `unknown`; mostly `null`. */
  readonly outcome: Outcome | null;
  /** From 1; a replay is the next run. */
  readonly runNumber: number;
  /** How often this run was started. */
  readonly attempt: number;
  /** Attempts that failed; they count against `retries`. */
  readonly failures: number;
  /** Attempts whose worker died. */
  readonly crashes: number;
  readonly traceId: string;
  readonly priority: Priority;
  /** Who asked for it; of the actors of a job and its ancestors the strictest, the first where two are equally strict. */
  readonly actor: Actor;
  /** The job that made it; `null` for one that a program, a person or a schedule asked for. */
  readonly parentId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly queuedAt: Date;
  /** When it may start; later than `queuedAt` for a future job and while a retry waits. */
  readonly dueAt: Date;
  /** When the newest attempt started. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** True while a running job has been asked to stop. */
  readonly cancelRequested: boolean;
  readonly progress: Progress | null;
  /** Secrets stand in it by their names. */
  readonly input: unknown;
  /** As JSON; `null` until it has completed. */
  readonly result: unknown;
  readonly error: ErrorRecord | null;
}

/** Turns what a backend knows into what users of the library see: times as dates, nothing of the inside. */
export function jobStatus(stored: StoredStatus): JobStatus {
  const { queuedAtMs, dueAtMs, startedAtMs, endedAtMs, timeoutMs: _, secrets: __, folder: ___, ...same } = stored;
  return {
    ...same,
    queuedAt: new Date(queuedAtMs),
    dueAt: new Date(dueAtMs),
    startedAt: dateOrNull(startedAtMs),
    endedAt: dateOrNull(endedAtMs),
  };
}

/** A time that may be missing. */
export function dateOrNull(unixMs: number | null): Date | null {
  return unixMs === null ? null : new Date(unixMs);
}

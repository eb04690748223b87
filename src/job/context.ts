import type { SubmitOptions } from "./options.ts";

/** Why an attempt's signal fired; it is the signal's `reason`. */
export type StopReason = "cancelled" | "timeout" | "stopping" | "lease_lost";

/** A file that an attempt keeps as evidence. */
export interface KeptFile {
  /** Relative to the job's artifact folder, `/` between parts. */
  readonly path: string;
  /** Lower-case hexadecimal SHA-256 of the bytes. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Writes lines into the job's log; secrets that the job resolved are masked. */
export interface JobLog {
  /** What somebody who follows the job wants to know. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Something is odd, and the work goes on. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Something went wrong. It says so and no more: to fail the attempt, throw. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** How far an attempt is; shown by `jobs status --watch`, kept until the job ends. */
export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly message?: string;
}

/** What the handler of a plain job receives beside its input. */
export interface JobContext {
  /** The job's id, the same for every run and attempt. */
  readonly jobId: string;
  /** From 1; a replay is the next run. */
  readonly runNumber: number;
  /** From 1; how often this run was started. */
  readonly attempt: number;
  /** Goes from whoever asked through the job to everything that it calls. */
  readonly traceId: string;
  /** Fires when the handler should stop; its `reason` is a {@link StopReason}. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** Says how far this attempt is. Cheap; the last one counts. */
  progress(progress: Progress): void;
  /**
   * Keeps a file as evidence. It belongs to this attempt until the attempt's end is recorded, so neither a late worker
   * nor a retry overwrites evidence.
   *
   * @param path relative, `/` between parts, such as `report/summary.json`.
   * @throws AppError `INVALID_PATH` for an absolute path or one with `..`; `TOO_LARGE` beyond `output.kept_bytes`.
   */
  keep(path: string, content: string | Uint8Array): Promise<KeptFile>;
  /**
   * Enqueues a job that belongs to this one. Its default key is (job, run, ordinal of the call), so an attempt that is
   * tried again gets the first job back, whatever the input.
   *
   * @throws AppError what `submit` throws; `LIMIT_REACHED` when it would have more than `job.depth_max` unfinished ancestors,
   * when the descendants of the first ancestor made more than `job.spawn_rate` (what the first one makes itself is free), and
   * for the 10,001st call of an attempt.
   */
  enqueue(
    type: string | { readonly name: string },
    input: unknown,
    options?: ChildOptions,
  ): Promise<{ readonly jobId: string }>;
}

/** Options of a child: those of `submit`; `key` replaces the default key. */
export type ChildOptions = Omit<SubmitOptions, "idempotencyKey" | "traceId"> & { readonly key?: string };

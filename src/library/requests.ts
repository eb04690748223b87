import type { z } from "zod";
import type { Duration } from "../duration.ts";
import type { JobType } from "../job/definition.ts";
import type { SubmitOptions } from "../job/options.ts";
import type { JobState } from "../job/state.ts";

/** What a caller gives a job type: its input before the schema fills in defaults. */
export type InputOf<T extends JobType> = z.input<T["input"]>;

/** What a job of a type results in. `unknown` for a type without a `result` schema. */
export type ResultOf<T extends JobType> = z.output<T["result"]>;

/** A job that was stored, or the earlier one that its idempotency key names. */
export interface SubmittedJob {
  /** A UUIDv7. */
  readonly jobId: string;
  readonly state: JobState;
  readonly traceId: string;
  readonly queuedAt: Date;
  /** True when an idempotency key gave an earlier job back; nothing new was stored. */
  readonly existing: boolean;
  /** What people are asked before it runs, because the policy wants their leave; `null` where nobody is. */
  readonly approvalId: string | null;
}

/** One job of `submitMany`. */
export interface SubmitRequest<T extends JobType | string> {
  readonly type: T;
  readonly input: T extends JobType ? InputOf<T> : unknown;
  readonly options?: SubmitOptions;
}

/** How to wait for a job. */
export interface WaitOptions {
  /** The longest wait, 1 ms to 366 d. Default: until the job is due, and then its timeout and half a minute; for a durable job without limit. */
  readonly wait?: Duration;
  /** Ends the wait with the signal's reason; the job goes on. */
  readonly signal?: AbortSignal;
}

/** Options of `runAndWait`. */
export type RunOptions = SubmitOptions & WaitOptions;

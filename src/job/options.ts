import type { Duration } from "../duration.ts";
import type { AfterCrash } from "./rules.ts";

/** Low, normal, high. */
export type Priority = 1 | 2 | 3;

/**
 * What a call may say about one job. The job type owns the rules and a call stays inside them: it may choose a timeout up
 * to the type's maximum, fewer retries and a stricter crash rule.
 */
export interface SubmitOptions {
  /** Names the request: the same type, key and input give the first job back inside the type's window (default 24 h). */
  readonly idempotencyKey?: string;
  /** Makes a new job although the key is held, and gives the key to it. Default false. */
  readonly fresh?: boolean;
  /** 1 low, 2 normal, 3 high. Default: the type's (2). */
  readonly priority?: Priority;
  /** Starts it this long from now; 1 ms to 366 d. Not together with `runAt`. */
  readonly delay?: Duration;
  /** Starts it at this time. A past time is now. */
  readonly runAt?: Date;
  /** Expires the job when no attempt has started by then; 1 ms to 366 d from its due time. */
  readonly expiresIn?: Duration;
  /** Ends the whole job, waiting included, after this long; 1 ms to 366 d. */
  readonly deadline?: Duration;
  /** Running time of one attempt; up to the type's maximum. */
  readonly timeout?: Duration;
  /** Extra attempts after a failure; up to the type's number. */
  readonly retries?: number;
  /** Retries a non-zero exit too, where the type allows it. */
  readonly retryOn?: "exit";
  /** Stricter than the type's; any, where the type leaves it to the caller. */
  readonly afterCrash?: AfterCrash;
  /** Labels that the worker must have, beside the type's. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Free text pairs to find the job by; at most 32 of 128 + 512 bytes. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. Default: a new one. */
  readonly traceId?: string;
}

import { ERRORS, isAppError } from "../error.ts";
import type { BackoffRule } from "./rules.ts";

/** What a failure leads to. */
export type RetryDecision = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "final" };

/** What {@link decideRetry} looks at. */
export interface Failure {
  readonly retryable: boolean;
  /** Failures of this run, the present one included. */
  readonly failures: number;
  /** Extra attempts that the job has. */
  readonly retries: number;
  readonly backoff: BackoffRule;
  readonly nowMs: number;
  /** The job's deadline; a retry that could not start before it is none. */
  readonly deadlineMs?: number;
  /** 0 to 1, drawn by the caller. */
  readonly random: number;
}

/** Whether a failed attempt is followed by another, and when. */
export function decideRetry(failure: Failure): RetryDecision {
  if (!failure.retryable || failure.failures > failure.retries) return { kind: "final" };
  const delayMs = backoffDelayMs(failure.backoff, failure.failures, failure.random);
  if (failure.deadlineMs !== undefined && failure.nowMs + delayMs >= failure.deadlineMs) return { kind: "final" };
  return { kind: "retry", delayMs };
}

/**
 * How long to wait after the n-th failure: `min(cap, first * factor^(n - 1))`, spread evenly over +/- `jitter` of it and
 * never above the cap. Whole milliseconds.
 */
export function backoffDelayMs(
  { firstMs, factor, capMs, jitter }: BackoffRule,
  failures: number,
  random: number,
): number {
  const plainMs = Math.min(capMs, firstMs * factor ** (failures - 1));
  return Math.min(capMs, Math.round(plainMs * (1 - jitter + 2 * jitter * random)));
}

/** The rule where a type has none of its own: every error is tried again but one of ours that says `never`. */
export function isRetryable(error: unknown): boolean {
  return !(isAppError(error) && ERRORS[error.code].retry === "never");
}

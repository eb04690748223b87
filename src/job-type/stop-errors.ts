import { AppError, type ErrorCode, type ErrorDetails } from "../error.ts";
import type { StopReason } from "../job/context.ts";

const CODES: Readonly<Record<StopReason, ErrorCode>> = {
  cancelled: "CANCELLED",
  timeout: "TIMEOUT",
  // The worker's stop is no verdict about the job: the engine gives it to the next worker.
  stopping: "CANCELLED",
  lease_lost: "LEASE_LOST",
};

/** What the errors of one job type are made with. */
export interface StopErrors {
  /** The error that an attempt ends with when its signal fired. */
  stoppedError(reason: StopReason, details?: ErrorDetails): AppError;
  /** @throws AppError as `stoppedError` makes it, when the signal has fired. */
  throwIfStopped(signal: AbortSignal): void;
}

/** The code of an attempt that was stopped, by the reason of its signal. */
export function stopCode(reason: unknown): ErrorCode {
  return CODES[reason as StopReason] ?? "CANCELLED";
}

/** @param says what a stop for each reason means for the work of this job type. */
export function stopErrors(says: Readonly<Record<StopReason, string>>): StopErrors {
  const stoppedError = (reason: StopReason, details: ErrorDetails = {}): AppError =>
    new AppError(stopCode(reason), says[reason], { details });
  return {
    stoppedError,
    throwIfStopped(signal) {
      if (signal.aborted) throw stoppedError(signal.reason as StopReason);
    },
  };
}

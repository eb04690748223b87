import { AppError, type ErrorDetails } from "../../error.ts";
import type { StopReason } from "../../job/context.ts";

/** The error that an attempt ends with when its signal fired. */
export function stoppedError(reason: StopReason, details: ErrorDetails = {}): AppError {
  switch (reason) {
    case "cancelled":
      return new AppError("CANCELLED", "the job was cancelled and Aloha was told to stop", { details });
    case "timeout":
      return new AppError("TIMEOUT", "Aloha ran longer than the job's timeout and was told to stop", { details });
    case "stopping":
      return new AppError("CANCELLED", "the worker stops; Aloha goes on and waits for the next worker", { details });
    case "lease_lost":
      return new AppError("LEASE_LOST", "another worker has the job and looks after the run", { details });
  }
}

/** @throws AppError as {@link stoppedError} makes it, when the signal has fired. */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw stoppedError(signal.reason as StopReason);
}

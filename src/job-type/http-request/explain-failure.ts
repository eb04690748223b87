import { AppError, isAppError } from "../../error.ts";
import { stopCode } from "../stop-errors.ts";
import { mayRepeat } from "./is-repeatable.ts";

/** What is known of an attempt when it fails. */
export interface Failed {
  /** The method that the job asked for. */
  readonly method: string;
  readonly sent: boolean;
  readonly signal: AbortSignal;
}

/**
 * Names a failure for the job: adds whether it may be tried again, and calls what broke because the attempt was stopped
 * by the reason of the stop. An error that is not ours (a full disk) is left as it is.
 */
export function explainFailure(error: unknown, { method, sent, signal }: Failed): unknown {
  const repeatable = mayRepeat(method, sent);
  const details = { method, repeatable };
  const note = repeatable ? "" : `; the ${method} may have been received, so it is not sent again`;
  const known = isAppError(error);
  if (signal.aborted && (!known || error.code === "HOST_UNREACHABLE")) {
    return new AppError(stopCode(signal.reason), `the request was stopped (${String(signal.reason)})${note}`, {
      details,
    });
  }
  if (!known) return error;
  const message = error.code === "HOST_UNREACHABLE" ? `${error.message}${note}` : error.message;
  return new AppError(error.code, message, { details: { ...error.details, ...details }, cause: error.cause });
}

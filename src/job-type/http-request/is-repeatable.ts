import { isAppError } from "../../error.ts";

/** Methods that mean the same when they are sent twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
/** Answers of a server that may be well again later. */
const PASSING: ReadonlySet<unknown> = new Set([429, 502, 503, 504]);

/**
 * True when a request that failed may be sent again without doing its work twice: it is idempotent, or nothing of it was
 * sent.
 *
 * @param method the method that the job asked for, not the one that a redirect made of it.
 * @param sent whether the first byte of any request of this attempt may have left.
 */
export function mayRepeat(method: string, sent: boolean): boolean {
  return IDEMPOTENT.has(method) || !sent;
}

/** Which errors of `http.request` are tried again: those that may be, and where waiting can help. */
export function isRepeatable(error: unknown): boolean {
  if (!isAppError(error) || error.details?.["repeatable"] !== true) return false;
  if (error.code === "UNEXPECTED_STATUS") return PASSING.has(error.details["status"]);
  return error.code === "HOST_UNREACHABLE" || error.code === "TIMEOUT";
}

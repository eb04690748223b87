/**
 * What a broken contract or an outside failure is called, and what each name means to a shell, to HTTP and to a retry.
 *
 * `exit` is the process's exit status (1 it ran and failed, 2 usage or configuration, 3 a dependency cannot be reached,
 * 4 time ran out); `http` the status code; `retry` says whether trying the same thing again can help; `outcome` is what a
 * job that ends with it says beyond its state.
 */
export interface ErrorRule {
  readonly exit: 1 | 2 | 3 | 4;
  readonly http: number;
  readonly retry: "never" | "backoff";
  readonly outcome?: ErrorOutcome;
}

/** What a job that ended with an error may say beyond its state; `stopped` goes with `cancelled`, the others with `failed`. */
export type ErrorOutcome = "partial" | "unknown" | "blocked" | "step_limit" | "stopped";

/** Every error code of the product. The table is the documentation; codes are matched by name, never by class. */
export const ERRORS = {
  // The request itself is wrong.
  USAGE: { exit: 2, http: 400, retry: "never" },
  CONFIG: { exit: 2, http: 500, retry: "never" },
  INVALID_INPUT: { exit: 2, http: 422, retry: "never" },
  INVALID_DURATION: { exit: 2, http: 422, retry: "never" },
  INVALID_CRON: { exit: 2, http: 422, retry: "never" },
  INVALID_ID: { exit: 2, http: 422, retry: "never" },
  INVALID_PATH: { exit: 2, http: 422, retry: "never" },
  INVALID_DEFINITION: { exit: 2, http: 500, retry: "never" },
  ARGUMENT_UNSAFE: { exit: 2, http: 422, retry: "never" },
  TOO_LARGE: { exit: 2, http: 413, retry: "never" },
  UNKNOWN_JOB_TYPE: { exit: 2, http: 422, retry: "never" },
  UNSUPPORTED: { exit: 2, http: 501, retry: "never" },
  CLIENT_CLOSED: { exit: 2, http: 500, retry: "never" },
  // The request is understood and refused.
  POLICY_DENIED: { exit: 1, http: 403, retry: "never" },
  IDEMPOTENCY_CONFLICT: { exit: 1, http: 409, retry: "never" },
  CONCURRENCY_DEADLOCK: { exit: 1, http: 409, retry: "never" },
  QUEUE_FULL: { exit: 1, http: 429, retry: "backoff" },
  LIMIT_REACHED: { exit: 1, http: 429, retry: "never" },
  JOB_NOT_FOUND: { exit: 1, http: 404, retry: "never" },
  JOB_FINISHED: { exit: 1, http: 409, retry: "never" },
  JOB_NOT_FINISHED: { exit: 1, http: 409, retry: "never" },
  SCHEDULE_NOT_FOUND: { exit: 1, http: 404, retry: "never" },
  SCHEDULE_EXISTS: { exit: 1, http: 409, retry: "never" },
  ARTIFACT_NOT_FOUND: { exit: 1, http: 404, retry: "never" },
  ARTIFACT_DAMAGED: { exit: 1, http: 500, retry: "never" },
  APPROVAL_NOT_FOUND: { exit: 1, http: 404, retry: "never" },
  APPROVAL_CLOSED: { exit: 1, http: 409, retry: "never" },
  APPROVAL_REPEATED: { exit: 1, http: 409, retry: "never" },
  APPROVAL_ALTERED: { exit: 1, http: 409, retry: "never" },
  APPROVAL_SIGNATURE: { exit: 1, http: 403, retry: "never" },
  APPROVER_UNKNOWN: { exit: 1, http: 403, retry: "never" },
  APPROVAL_SELF_GIVEN: { exit: 1, http: 403, retry: "never" },
  APPROVAL_BY_AGENT: { exit: 1, http: 403, retry: "never" },
  APPROVAL_LEVEL: { exit: 1, http: 403, retry: "never" },
  // How an attempt or a job ended.
  HANDLER_FAILED: { exit: 1, http: 500, retry: "backoff" },
  INVALID_RESULT: { exit: 1, http: 500, retry: "never" },
  EXIT_NONZERO: { exit: 1, http: 500, retry: "never" },
  VERIFY_FAILED: { exit: 1, http: 500, retry: "never" },
  SCRIPT_FAILED: { exit: 1, http: 502, retry: "never" },
  PROGRAM_NOT_STARTED: { exit: 1, http: 500, retry: "never" },
  SECRET_UNAVAILABLE: { exit: 1, http: 500, retry: "never" },
  ADDRESS_REFUSED: { exit: 1, http: 403, retry: "never" },
  PAGE_FAILED: { exit: 1, http: 502, retry: "never" },
  UNEXPECTED_STATUS: { exit: 1, http: 502, retry: "never" },
  CANCELLED: { exit: 1, http: 409, retry: "never" },
  EXPIRED: { exit: 1, http: 410, retry: "never" },
  CRASHED: { exit: 1, http: 500, retry: "never" },
  OUTCOME_UNKNOWN: { exit: 1, http: 500, retry: "never", outcome: "unknown" },
  APPROVAL_REJECTED: { exit: 1, http: 403, retry: "never" },
  APPROVAL_EXPIRED: { exit: 1, http: 410, retry: "never" },
  APPROVAL_REVOKED: { exit: 1, http: 409, retry: "never" },
  APPROVAL_USED: { exit: 1, http: 409, retry: "never" },
  ARTIFACT_MISSING: { exit: 1, http: 500, retry: "never", outcome: "partial" },
  DESKTOP_LOCKED: { exit: 1, http: 409, retry: "never", outcome: "blocked" },
  STEP_LIMIT: { exit: 1, http: 500, retry: "never", outcome: "step_limit" },
  STOPPED_OUTSIDE: { exit: 1, http: 409, retry: "never", outcome: "stopped" },
  ALOHA_FAILED: { exit: 1, http: 502, retry: "never" },
  NON_DETERMINISTIC: { exit: 1, http: 500, retry: "never" },
  CONCURRENT_DURABLE_CALL: { exit: 1, http: 500, retry: "never" },
  LEASE_LOST: { exit: 1, http: 409, retry: "never" },
  // Time ran out.
  TIMEOUT: { exit: 4, http: 504, retry: "backoff" },
  DEADLINE_EXCEEDED: { exit: 4, http: 504, retry: "never" },
  WAIT_TIMEOUT: { exit: 4, http: 504, retry: "backoff" },
  // Something that we stand on is not there or not sound.
  UNKNOWN_HOST: { exit: 2, http: 422, retry: "never" },
  RUNNER_FAILED: { exit: 3, http: 502, retry: "backoff" },
  RUNNER_LOST: { exit: 3, http: 502, retry: "backoff" },
  SSH_AUTH_REFUSED: { exit: 3, http: 502, retry: "never" },
  SSH_HOST_KEY: { exit: 3, http: 502, retry: "never" },
  TRANSFER_FAILED: { exit: 1, http: 502, retry: "never" },
  REMOTE_FILE_MISSING: { exit: 1, http: 404, retry: "never" },
  HOST_UNREACHABLE: { exit: 3, http: 502, retry: "backoff" },
  APPROVAL_UNVERIFIED: { exit: 3, http: 503, retry: "backoff" },
  PREREQUISITE_MISSING: { exit: 3, http: 502, retry: "never" },
  PLAYWRIGHT_VERSION_MISMATCH: { exit: 3, http: 502, retry: "never" },
  PLAYWRIGHT_PATH_REJECTED: { exit: 3, http: 502, retry: "never" },
  DATABASE_MISSING: { exit: 2, http: 500, retry: "never" },
  DATABASE_EXISTS: { exit: 2, http: 409, retry: "never" },
  DATABASE_FOREIGN: { exit: 2, http: 500, retry: "never" },
  DATABASE_NEWER: { exit: 2, http: 500, retry: "never" },
  DATABASE_OLDER: { exit: 2, http: 500, retry: "never" },
  DATABASE_IN_USE: { exit: 2, http: 409, retry: "backoff" },
  DATABASE_UNWRITABLE: { exit: 2, http: 500, retry: "never" },
  DATABASE_DAMAGED: { exit: 1, http: 500, retry: "never" },
  DATABASE_BUSY: { exit: 3, http: 503, retry: "backoff" },
  DATABASE_FULL: { exit: 3, http: 507, retry: "backoff" },
  COMMIT_UNKNOWN: { exit: 3, http: 503, retry: "backoff" },
  CHECK_FAILED: { exit: 1, http: 500, retry: "never" },
  SUPERVISOR_RUNNING: { exit: 1, http: 409, retry: "backoff" },
  INTERNAL: { exit: 1, http: 500, retry: "never" },
} as const satisfies Record<string, ErrorRule>;

/** The name of an error; a key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** JSON-safe facts about an error. Never a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error as it is stored, printed and sent: a code, a sentence and facts. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly details?: ErrorDetails;
}

/**
 * The one error class. The message says what failed, with which value, and what to do next.
 *
 * Match by `code`, never by `instanceof`, because an error may have crossed storage or a process.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True for any error that carries one of our codes, whichever copy of this module made it. */
export function isAppError(error: unknown): error is AppError {
  return error instanceof Error && "code" in error && isErrorCode(error.code);
}

/** True for a text that is one of our codes. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}

/** The exit status of a code; a code that this version does not know is 1. */
export function exitStatusOf(code: string): 1 | 2 | 3 | 4 {
  return isErrorCode(code) ? ERRORS[code].exit : 1;
}

/** The outcome that goes with a code, where one does. */
export function outcomeOfError(code: string): ErrorOutcome | undefined {
  const rule: ErrorRule | undefined = isErrorCode(code) ? ERRORS[code] : undefined;
  return rule?.outcome;
}

/** What a user sees of an error: `CODE: message`. */
export function errorText(error: Pick<ErrorRecord, "code" | "message">): string {
  return `${error.code}: ${error.message}`;
}

/**
 * Turns anything that was thrown into a record. What is not an {@link AppError} gets `fallback` as its code. Never throws
 * itself, whatever a handler of somebody else's threw.
 *
 * @param fallback default `INTERNAL`; handlers of jobs use `HANDLER_FAILED`.
 */
export function toErrorRecord(error: unknown, fallback: ErrorCode = "INTERNAL"): ErrorRecord {
  try {
    if (!isAppError(error)) return { code: fallback, message: messageOf(error) };
    const details = Object.keys(error.details ?? {}).length > 0 ? { details: error.details } : {};
    return { code: error.code, message: messageOf(error), ...details };
  } catch {
    // An object without a text, or one whose properties throw.
    return { code: fallback, message: `what was thrown (${typeof error}) has no text` };
  }
}

function messageOf(error: unknown): string {
  return String(error instanceof Error ? error.message || error.name : error);
}

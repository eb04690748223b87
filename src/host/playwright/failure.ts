import { AppError, type ErrorCode } from "../../error.ts";

/** One word for scripts, printed as `err=…`. */
export type FailureWord =
  | "version_mismatch"
  | "ws_path_rejected"
  | "unreachable"
  | "timeout"
  | "not_playwright"
  | "missing_node"
  | "missing_playwright"
  | "missing_ffmpeg"
  | "not_started"
  | "not_installed";

/** An error about a browser server; its cause is left out on purpose, because Playwright's texts hold the secret path. */
export function failure(
  code: ErrorCode,
  err: FailureWord,
  message: string,
  facts: Readonly<Record<string, string | number | boolean>> = {},
): AppError {
  return new AppError(code, message, { details: { component: "playwright", err, ...facts } });
}

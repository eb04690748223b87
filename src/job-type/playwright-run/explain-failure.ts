import { AppError, isAppError } from "../../error.ts";
import { failure } from "../../host/playwright/failure.ts";
import { stopCode } from "../stop-errors.ts";

/** What is known when a page could not be opened. */
export interface Failed {
  readonly url: string;
  readonly waitUntil: string;
  readonly signal: AbortSignal;
  /** The connection to the browser still stood. */
  readonly isConnected: boolean;
  /** Takes the secret path out of a text. */
  redact(text: string): string;
}

/** Network errors of Chromium that may be gone the next time; a wrong name or certificate stays wrong. */
const PASSING =
  /^net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED|TIMED_OUT)|TIMED_OUT|EMPTY_RESPONSE|NETWORK_CHANGED|NETWORK_IO_SUSPENDED|INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE|TEMPORARILY_THROTTLED|HTTP2_PING_FAILED|QUIC_PROTOCOL_ERROR)$/;

/** Names a failure for the job; nothing of Playwright's own error goes on but its first line, without the secret path. */
export function explainFailure(error: unknown, failed: Failed): unknown {
  if (failed.signal.aborted) {
    const reason = String(failed.signal.reason);
    return new AppError(stopCode(reason), `opening ${shown(failed.url)} was stopped (${reason})`);
  }
  // Before all else: what could not be written because the browser went away is not the folder's fault.
  if (!failed.isConnected || isClosing(error)) {
    const message = `the browser server ended the connection while ${shown(failed.url)} was open`;
    return failure("HOST_UNREACHABLE", "unreachable", message);
  }
  // Ours, and the file system's: a full disk is no fault of the page.
  if (isAppError(error) || (error instanceof Error && "syscall" in error)) return error;
  const [line = ""] = failed.redact(error instanceof Error ? error.message : String(error)).split("\n", 1);
  return explainPage(error, line, failed);
}

function explainPage(error: unknown, line: string, { url, waitUntil }: Failed): AppError {
  if (error instanceof Error && error.name === "TimeoutError")
    return failure("TIMEOUT", "timeout", `${shown(url)} did not reach ${waitUntil} in time`);
  if (/ffmpeg/i.test(line)) {
    const remedy = "run `npx playwright install ffmpeg` there, as the account of the browser server";
    return failure(
      "PREREQUISITE_MISSING",
      "missing_ffmpeg",
      `the browser's machine has no ffmpeg for video; ${remedy}`,
    );
  }
  const network = /net::ERR_\w+/.exec(line)?.[0];
  if (network !== undefined) {
    const details = { component: "playwright", net_error: network, passing: PASSING.test(network) };
    return new AppError("PAGE_FAILED", `${shown(url)} could not be opened: ${network}`, { details });
  }
  if (line.includes("Download is starting"))
    return new AppError("PAGE_FAILED", `${shown(url)} is a download and no page; use http.request`);
  return new AppError("PAGE_FAILED", `${shown(url)} could not be opened: ${line.replace(/^page\.\w+: /, "")}`);
}

/** The page's end is told before that of the connection. */
function isClosing(error: unknown): boolean {
  return error instanceof Error && /\b(browser|context)( has been)? closed\b/i.test(error.message);
}

/** Without its query, which may hold what should not stand in a history. */
function shown(text: string): string {
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`;
}

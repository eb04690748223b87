import type { AttemptFolder } from "../artifact/attempt-folder.ts";
import type { ManifestFile } from "../artifact/manifest.ts";
import { formatDuration } from "../duration.ts";
import { type ErrorCode, type ErrorRecord, isAppError, outcomeOfError, toErrorRecord } from "../error.ts";
import { isRetryable } from "../job/retry.ts";
import type { Redactor } from "../redact.ts";
import type { AttemptControl } from "./control.ts";
import { inputProblem } from "./input.ts";
import { maskedJson, maskTexts } from "./mask-texts.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices } from "./services.ts";

/** What a handler came to, before the attempt's end is decided. */
export type HandlerEnd =
  | { readonly kind: "value"; readonly value: unknown; readonly skipped?: boolean }
  /** `checking`: not the handler threw but the question whether its work is done already. */
  | { readonly kind: "thrown"; readonly error: unknown; readonly checking?: boolean };

/** The attempt that is to be ended. */
export interface Settling {
  readonly request: AttemptRequest;
  readonly services: AttemptServices;
  readonly control: AttemptControl;
  readonly folder: AttemptFolder;
  readonly redactor: Redactor | undefined;
  /** What must be among the kept files of an attempt that completes. */
  readonly keeps: readonly string[];
}

/** Says how an attempt ended, and seals the files that it kept. At once where it kept none. */
export function settle(ended: HandlerEnd, settling: Settling): AttemptEnd | Promise<AttemptEnd> {
  const { control, folder } = settling;
  const { reason } = control;
  if (reason === "lease_lost" || lostLease(ended)) return { kind: "lost" };
  if (reason === "stopping" && ended.kind === "thrown") return { kind: "released" };
  const end = ended.kind === "value" ? complete(ended, settling) : fail(ended, settling);
  if (end instanceof Promise || folder.exists) return seal(end, reason, settling);
  return conclude(end, [], reason, settling);
}

async function seal(
  end: Ended | Promise<Ended>,
  reason: AttemptControl["reason"],
  settling: Settling,
): Promise<AttemptEnd> {
  const { folder, redactor } = settling;
  const settled = await end;
  return conclude(settled, folder.exists ? await folder.seal(redactor) : [], reason, settling);
}

function conclude(
  end: Ended,
  files: readonly ManifestFile[],
  reason: AttemptControl["reason"],
  settling: Settling,
): AttemptEnd {
  const timed = reason === "timeout" && end.kind === "completed" ? fail({ error: reason }, settling) : end;
  const whole = timed.kind === "completed" ? checkKept(timed, files, settling) : timed;
  return files.length === 0 ? whole : { ...whole, kept: { folder: settling.folder.path, files } };
}

/** Work whose evidence is missing is not complete, whatever its handler says. */
function checkKept(end: Completed, files: readonly ManifestFile[], { keeps, request }: Settling): Ended {
  const missing = end.outcome === "skipped" ? [] : keeps.filter((path) => !files.some((file) => file.path === path));
  if (missing.length === 0) return end;
  const error = {
    code: "ARTIFACT_MISSING",
    message: `${request.type.name} ended well, but what it should have kept is not there: ${missing.join(", ")}`,
  } as const;
  return { kind: "failed", error, retryable: false, outcome: "partial" };
}

/** Under the rule `check` the next attempt asks first whether the work is done, as after a crash. */
function canTell({ afterCrash, handlers }: AttemptRequest): boolean {
  return afterCrash === "check" && handlers.check !== undefined;
}

/** What a job says that was cancelled while it ran. */
export const CANCELLED: ErrorRecord = { code: "CANCELLED", message: "it was cancelled while it ran" };

type Completed = Extract<AttemptEnd, { kind: "completed" }>;
type Ended = Extract<AttemptEnd, { kind: "completed" | "failed" | "cancelled" }>;

function lostLease(ended: HandlerEnd): boolean {
  return ended.kind === "thrown" && isAppError(ended.error) && ended.error.code === "LEASE_LOST";
}

function complete(
  { value, skipped }: { readonly value: unknown; readonly skipped?: boolean },
  { request: { type }, services: { limits }, folder, redactor }: Settling,
): Ended | Promise<Ended> {
  const outcome = skipped ? ({ outcome: "skipped" } as const) : {};
  const failed = (code: "INVALID_RESULT" | "TOO_LARGE", message: string): Ended => ({
    kind: "failed",
    error: { code, message },
    retryable: false,
  });
  const parsed = type.result.safeParse(value);
  if (!parsed.success)
    return failed(
      "INVALID_RESULT",
      `${type.name} returned ${inputProblem(type.name, parsed.error).message.replace("input", "result")}`,
    );
  const json = maskedJson(parsed.data, redactor);
  if (json.kind === "refused")
    return failed(
      "INVALID_RESULT",
      `${type.name} returned what JSON cannot hold (${json.reason}); return plain data, a big number as a text`,
    );
  const resultJson = json.text ?? "null";
  // A character is at most three bytes: most results need no count.
  if (resultJson.length <= limits.inlineBytes / 3) return { kind: "completed", resultJson, ...outcome };
  const bytes = Buffer.byteLength(resultJson);
  if (bytes <= limits.inlineBytes) return { kind: "completed", resultJson, ...outcome };
  if (bytes > limits.valueBytes)
    return failed(
      "TOO_LARGE",
      `${type.name} returned ${bytes} bytes of JSON; job.value_bytes allows ${limits.valueBytes}: keep a file instead`,
    );
  return folder.keep("result.json", resultJson, limits.valueBytes).then((file) => ({
    kind: "completed",
    resultJson: JSON.stringify({ $artifact: file.path, sha256: file.sha256, bytes: file.bytes }),
    ...outcome,
  }));
}

function fail(
  { error, checking }: { readonly error: unknown; readonly checking?: boolean },
  { request, control, redactor }: Settling,
): Ended {
  const record = maskTexts(toErrorRecord(error, "HANDLER_FAILED"), redactor);
  if (control.reason === "cancelled") return withDetails({ kind: "cancelled" as const, error: CANCELLED }, record);
  if (control.reason === "timeout") return withDetails(timedOut(request, control.byDeadline), record);
  const outcome = outcomeOfError(record.code);
  if (record.code === "OUTCOME_UNKNOWN" && !checking && canTell(request))
    return { kind: "failed", error: record, retryable: true, recover: true, outcome: "unknown" };
  if (outcome === "stopped") return { kind: "cancelled", outcome, error: record };
  return {
    kind: "failed",
    error: record,
    retryable: canRetry(request, error),
    ...(outcome === undefined ? {} : { outcome }),
    ...(checking ? { recover: true as const } : {}),
  };
}

/** A handler that was stopped may say what became of its work: an exit code, whether its program still runs. */
function withDetails<T extends { readonly error: ErrorRecord }>(end: T, { details }: ErrorRecord): T {
  return details === undefined ? end : { ...end, error: { ...end.error, details } };
}

/** The failure of an attempt whose time ran out; also written by the thread that ends a worker whose event loop is blocked. */
export function timedOut(
  request: Pick<AttemptRequest, "timeoutMs" | "afterCrash">,
  byDeadline: boolean,
): Extract<AttemptEnd, { kind: "failed" }> {
  const error: ErrorRecord = byDeadline
    ? { code: "DEADLINE_EXCEEDED", message: "its deadline passed while it ran" }
    : { code: "TIMEOUT", message: `it ran longer than its timeout of ${formatDuration(request.timeoutMs)}` };
  // What may not be done again blindly after a crash may not be after a timeout either: it was in the middle of it.
  return { kind: "failed", error, retryable: !byDeadline && request.afterCrash === "rerun" };
}

/** What an earlier attempt did is not known: no type may say that it should be done again. */
const NEVER_AGAIN: readonly ErrorCode[] = ["OUTCOME_UNKNOWN", "CRASHED"];

function canRetry({ type, retryOnExit }: AttemptRequest, error: unknown): boolean {
  if (isAppError(error) && NEVER_AGAIN.includes(error.code)) return false;
  if (isAppError(error) && error.code === "EXIT_NONZERO") return retryOnExit;
  return (type.retryable ?? isRetryable)(error);
}

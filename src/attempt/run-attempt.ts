import type { AttemptFolder } from "../artifact/attempt-folder.ts";
import { formatDuration } from "../duration.ts";
import { AppError, type ErrorCode, type ErrorRecord, isAppError, toErrorRecord } from "../error.ts";
import { decideRecovery, type RecoveryDecision } from "../job/crash.ts";
import { isRetryable } from "../job/retry.ts";
import { resolveSecrets, secretNames } from "../job/secret.ts";
import { createRedactor, type Redactor } from "../redact.ts";
import { createContext, folderFor } from "./context.ts";
import type { AttemptControl } from "./control.ts";
import type { EffectContext, MachineIdentity } from "./handlers.ts";
import { inputProblem } from "./input.ts";
import { maskTexts } from "./mask-texts.ts";
import type { AttemptEnd, AttemptRequest, AttemptServices, KeptFiles } from "./services.ts";

/** What a handler came to, before the attempt's end is decided. */
type Outcome =
  | { readonly kind: "value"; readonly value: unknown; readonly skipped?: boolean }
  /** `checking`: not the handler threw but the question whether its work is done already. */
  | { readonly kind: "thrown"; readonly error: unknown; readonly checking?: boolean };

/** How long a job that another machine may look after is left alone before anybody looks again. */
const LEAVE_MS = 1_000;

/**
 * Makes one attempt: reads the input, resolves its secrets, recovers what an earlier attempt had started, runs the
 * handler, and says how it ended. It records nothing itself; whoever holds the lease does.
 */
export async function runAttempt(
  request: AttemptRequest,
  services: AttemptServices,
  control: AttemptControl,
): Promise<AttemptEnd> {
  let input: unknown;
  let redactor: Redactor | undefined;
  try {
    ({ input, redactor } = readInput(request, services));
  } catch (error) {
    // What was started goes on meanwhile; a worker that has the secret may come and look after it.
    if (isLookedFor(request, services)) return { kind: "left", delayMs: LEAVE_MS };
    return { kind: "failed", error: toErrorRecord(error), retryable: false };
  }
  let first = decideFirst(request, services, false);
  if (first.kind === "leave") return { kind: "left", delayMs: LEAVE_MS };
  let folder = folderFor(request, services, first.kind === "adopt");
  const contextFor = (): EffectContext =>
    createContext(request, { services, folder, signal: control.signal, redactor });
  let outcome: Outcome | undefined;
  if (first.kind === "adopt") {
    const adopted = await adopt(request, services, { input, ctx: contextFor(), control });
    if (adopted.kind !== "unknown") outcome = adopted;
    else {
      first = decideFirst(request, services, true);
      if (first.kind === "run" || first.kind === "check") folder = folderFor(request, services, false);
    }
  }
  outcome ??= await perform(first, { request, services, input, ctx: contextFor(), control });
  return settle(request, services, control, outcome, folder, redactor);
}

/** True while somebody may still come who can take over what an earlier attempt started. */
function isLookedFor({ recover, effect, handlers }: AttemptRequest, { clock, limits }: AttemptServices): boolean {
  return (
    recover && effect !== undefined && handlers.adopt !== undefined && clock.now() - effect.atMs < limits.adoptWaitMs
  );
}

function readInput(
  request: AttemptRequest,
  services: AttemptServices,
): { input: unknown; redactor: Redactor | undefined } {
  const parsed = request.type.input.safeParse(request.input);
  if (!parsed.success) throw inputProblem(request.type.name, parsed.error);
  const names = secretNames(parsed.data);
  if (names.length === 0) return { input: parsed.data, redactor: undefined };
  const redactor = createRedactor();
  const input = resolveSecrets(parsed.data, (name) => {
    if (!request.type.rules.secrets.includes(name)) {
      throw new AppError(
        "SECRET_UNAVAILABLE",
        `secret ${name} is not in the list of ${request.type.name}; add it to the type's secrets (built-in types: the configuration key ${request.type.name.replace(".", "_")}.secrets)`,
      );
    }
    const value = services.secret(name);
    if (value === undefined)
      throw new AppError(
        "SECRET_UNAVAILABLE",
        `secret ${name} is not set in the worker's environment; set it and start the worker again, then \`windlass jobs retry ${request.jobId}\``,
      );
    redactor.add(value);
    return value;
  });
  return { input, redactor };
}

function decideFirst(request: AttemptRequest, services: AttemptServices, adoptionFailed: boolean): RecoveryDecision {
  return decideRecovery({
    recover: request.recover,
    hasEffect: request.effect !== undefined,
    canAdopt: request.handlers.adopt !== undefined,
    canCheck: request.handlers.check !== undefined,
    adoptionFailed,
    sameHost: request.effect !== undefined && sameHost(request.effect.effect.machine, services.machine),
    sinceLostMs: services.clock.now() - (request.effect?.atMs ?? 0),
    adoptWaitMs: services.limits.adoptWaitMs,
    afterCrash: request.afterCrash,
    crashes: request.crashes,
    crashesMax: request.crashesMax,
  });
}

/** After a restart of the machine its programs are gone, whatever the pid namespace was. */
function sameHost(effect: MachineIdentity, own: MachineIdentity): boolean {
  return effect.host === own.host && (effect.boot !== own.boot || effect.pidNamespace === own.pidNamespace);
}

async function adopt(
  request: AttemptRequest,
  services: AttemptServices,
  { input, ctx, control }: { readonly input: unknown; readonly ctx: EffectContext; readonly control: AttemptControl },
): Promise<Outcome | { readonly kind: "unknown" }> {
  const { handlers, effect } = request;
  if (handlers.adopt === undefined || effect === undefined) return { kind: "unknown" };
  try {
    await services.recordAdoption(request);
    const found = await control.guard(Promise.resolve(handlers.adopt(input as never, effect.effect, ctx)));
    return found.kind === "result" ? { kind: "value", value: found.result } : { kind: "unknown" };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

interface Performance {
  readonly request: AttemptRequest;
  readonly services: AttemptServices;
  readonly input: unknown;
  readonly ctx: EffectContext;
  readonly control: AttemptControl;
}

async function perform(first: RecoveryDecision, performance: Performance): Promise<Outcome> {
  const { request, services, input, ctx, control } = performance;
  const { handlers, deadlineMs } = request;
  // What was to be ended is ended by now; nothing is begun that has no time left.
  if (deadlineMs !== undefined && deadlineMs <= services.clock.now()) control.stop("timeout", { byDeadline: true });
  // A cancel that was asked for while no worker had the job ends it here: the effect is known to be over.
  if (control.reason !== undefined) return { kind: "thrown", error: control.reason };
  try {
    if (first.kind === "check") {
      const checked = await check(performance);
      if (checked !== undefined) return checked;
    }
    if (first.kind === "crashed") throw new AppError("CRASHED", first.message);
    if (first.kind === "unknown") {
      throw new AppError(
        "OUTCOME_UNKNOWN",
        "an earlier attempt died in the middle and nothing says whether its work was done; look, then `windlass jobs retry` to do it again",
      );
    }
    const returned = handlers.run(input as never, ctx);
    const value = isThenable(returned) ? await control.guard(Promise.resolve(returned)) : returned;
    return { kind: "value", value };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

/** Asks whether the work is done already; `undefined` when it is known not to be. */
async function check({ request, input, ctx, control }: Performance): Promise<Outcome | undefined> {
  try {
    const found = await control.guard(Promise.resolve(request.handlers.check?.(input as never, ctx)));
    return found === undefined ? undefined : { kind: "value", value: found, skipped: true };
  } catch (error) {
    return { kind: "thrown", error, checking: true };
  }
}

/** Query builders and promises of other libraries count too: what is not waited for would never have run. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

async function settle(
  request: AttemptRequest,
  services: AttemptServices,
  control: AttemptControl,
  outcome: Outcome,
  folder: AttemptFolder,
  redactor: Redactor | undefined,
): Promise<AttemptEnd> {
  const { reason } = control;
  if (reason === "lease_lost") return { kind: "lost" };
  if (
    isAppError((outcome as { error?: unknown }).error) &&
    (outcome as { error: AppError }).error.code === "LEASE_LOST"
  )
    return { kind: "lost" };
  if (reason === "stopping" && outcome.kind === "thrown") return { kind: "released" };
  const end =
    outcome.kind === "value"
      ? await complete(request, services, { folder, redactor }, outcome)
      : fail(request, control, outcome, redactor);
  const timed =
    reason === "timeout" && end.kind === "completed" ? fail(request, control, { error: reason }, redactor) : end;
  if (!folder.exists) return timed;
  const kept: KeptFiles = { folder: folder.path, files: await folder.seal(redactor) };
  return kept.files.length === 0 ? timed : { ...timed, kept };
}

type Ended = Extract<AttemptEnd, { kind: "completed" | "failed" | "cancelled" }>;

async function complete(
  { type }: AttemptRequest,
  { limits }: AttemptServices,
  { folder, redactor }: { readonly folder: AttemptFolder; readonly redactor: Redactor | undefined },
  { value, skipped }: { readonly value: unknown; readonly skipped?: boolean },
): Promise<Ended> {
  const outcome = skipped ? ({ outcome: "skipped" } as const) : {};
  const parsed = type.result.safeParse(value);
  const failed = (code: "INVALID_RESULT" | "TOO_LARGE", message: string): Ended => ({
    kind: "failed",
    error: { code, message },
    retryable: false,
  });
  if (!parsed.success)
    return failed(
      "INVALID_RESULT",
      `${type.name} returned ${inputProblem(type.name, parsed.error).message.replace("input", "result")}`,
    );
  const resultJson = JSON.stringify(maskTexts(parsed.data, redactor)) ?? "null";
  if (resultJson.length <= limits.inlineBytes / 3) return { kind: "completed", resultJson, ...outcome };
  const bytes = Buffer.byteLength(resultJson);
  if (bytes <= limits.inlineBytes) return { kind: "completed", resultJson, ...outcome };
  if (bytes > limits.valueBytes)
    return failed(
      "TOO_LARGE",
      `${type.name} returned ${bytes} bytes of JSON; job.value_bytes allows ${limits.valueBytes}: keep a file instead`,
    );
  const file = await folder.keep("result.json", resultJson, limits.valueBytes);
  return {
    kind: "completed",
    resultJson: JSON.stringify({ $artifact: file.path, sha256: file.sha256, bytes: file.bytes }),
    ...outcome,
  };
}

function fail(
  request: AttemptRequest,
  control: AttemptControl,
  { error, checking }: { readonly error: unknown; readonly checking?: boolean },
  redactor: Redactor | undefined,
): Ended {
  if (control.reason === "cancelled") return { kind: "cancelled" };
  if (control.reason === "timeout") return timedOut(request, control.byDeadline);
  const record = maskTexts(toErrorRecord(error, "HANDLER_FAILED"), redactor);
  return {
    kind: "failed",
    error: record,
    retryable: canRetry(request, error),
    ...(record.code === "OUTCOME_UNKNOWN" ? { outcome: "unknown" as const } : {}),
    ...(checking ? { recover: true as const } : {}),
  };
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

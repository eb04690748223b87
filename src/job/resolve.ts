import { parseDuration } from "../duration.ts";
import { AppError } from "../error.ts";
import { crashRuleFor, isAsStrict } from "./crash.ts";
import { keyNeeds, rateKey, valueAt } from "./keys.ts";
import { CALL_DURATION_MAX_MS, type JobLimits } from "./limits.ts";
import type { SubmitOptions } from "./options.ts";
import type { AfterCrash, TypeRules } from "./rules.ts";
import type { JobRules, JobSpec, ParentRef } from "./spec.ts";

/** A request whose input was parsed. */
export interface ResolveRequest {
  readonly type: string;
  readonly rules: TypeRules;
  /** The input as given, as JSON text. */
  readonly inputJson: string;
  /** The input as its schema read it: defaults filled in. */
  readonly parsed: unknown;
  /** Names of the secrets that the input refers to. */
  readonly secrets: readonly string[];
  readonly options: SubmitOptions;
  readonly limits: JobLimits;
  /** SHA-256 of the canonical input; needed only with an idempotency key. */
  readonly inputDigest?: string;
  readonly parent?: ParentRef;
  /** The caller's time, only to read `runAt`. */
  readonly nowMs: number;
}

const TRACE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/**
 * Resolves what a job type declares and what a call says into the one record that a backend accepts. The type owns the
 * rules and the call stays inside them.
 *
 * @throws AppError `INVALID_INPUT` or `INVALID_DURATION` naming the option, `TOO_LARGE` for metadata.
 */
export function resolveJob(request: ResolveRequest): JobSpec {
  const { type, rules, options, limits, parsed } = request;
  const { idempotencyKey, parent } = { ...options, parent: request.parent };
  const traceId = resolveTraceId(request);
  const requires = resolveRequires(type, rules, options.requires ?? {});
  const resolvedRateKey = rateKey(type, rules, parsed);
  const queuedMax = rules.queuedMax ?? limits.queuedMax;
  return {
    type,
    inputJson: request.inputJson,
    requires,
    rules: jobRules(rules, limits),
    afterCrash: resolveAfterCrash(type, rules, parsed, options.afterCrash),
    retryOnExit: resolveRetryOnExit(type, rules, options),
    priority: resolvePriority(options.priority, rules),
    ...resolveTimes(request),
    ...resolveCallLimits(request),
    keys: keyNeeds(type, rules, parsed),
    ...(resolvedRateKey === undefined ? {} : { rateKey: resolvedRateKey }),
    ...(idempotencyKey === undefined ? {} : { idempotency: resolveIdempotency(request, idempotencyKey) }),
    metadata: checkMetadata(options.metadata ?? {}, limits),
    secrets: checkSecrets(type, rules, request.secrets),
    ...(traceId === undefined ? {} : { traceId }),
    ...(parent === undefined ? {} : { parent }),
    ...(queuedMax === undefined ? {} : { queuedMax }),
  };
}

/** The call's, else that of the input where the type has one there. */
function resolveTraceId({ rules, options, parsed }: ResolveRequest): string | undefined {
  const inInput = rules.traceId === undefined ? undefined : valueAt(parsed, rules.traceId);
  const traceId = options.traceId ?? inInput ?? undefined;
  if (traceId === undefined || (typeof traceId === "string" && TRACE_ID.test(traceId))) return traceId;
  throw new AppError(
    "INVALID_INPUT",
    `trace_id ${JSON.stringify(traceId)} is not 1 to 128 of the characters A-Z a-z 0-9 . _ : -`,
  );
}

const rulesCache = new WeakMap<TypeRules, { limits: JobLimits; rules: JobRules }>();

/** The same object for the same type and limits, so that a backend can intern it by identity. */
function jobRules(rules: TypeRules, limits: JobLimits): JobRules {
  const known = rulesCache.get(rules);
  if (known?.limits === limits) return known.rules;
  const made: JobRules = {
    timeoutMs: Math.min(rules.timeoutMs ?? limits.timeoutMs, rules.timeoutMaxMs),
    retries: rules.retries ?? limits.retryMax,
    backoff: {
      firstMs: rules.backoff?.firstMs ?? limits.retryBackoffMs,
      factor: rules.backoff?.factor ?? limits.backoffFactor,
      capMs: rules.backoff?.capMs ?? limits.backoffCapMs,
      jitter: rules.backoff?.jitter ?? limits.backoffJitter,
    },
    crashesMax: limits.crashesMax,
    recordsEffects: rules.recordsEffects,
    historyRowsMax: limits.historyRowsMax,
    ...(rules.rateLimit === undefined ? {} : { rate: { units: rules.rateLimit.units, perMs: rules.rateLimit.perMs } }),
    ...(rules.durable === undefined ? {} : { durable: rules.durable }),
  };
  rulesCache.set(rules, { limits, rules: made });
  return made;
}

function resolveTimes({
  type,
  rules,
  options,
  nowMs,
}: ResolveRequest): Partial<Pick<JobSpec, "delayMs" | "dueMs" | "expiresInMs" | "deadlineInMs">> {
  const { delay, runAt, expiresIn, deadline } = options;
  if (delay !== undefined && runAt !== undefined)
    throw new AppError("INVALID_INPUT", `${type}: delay and run_at say the same thing; give one of them`);
  const runAtMs = runAt?.getTime();
  if (runAtMs !== undefined && !Number.isFinite(runAtMs))
    throw new AppError("INVALID_INPUT", `${type}: run_at is not a date; write it as 2026-11-21T18:00:00Z`);
  if (runAtMs !== undefined && runAtMs > nowMs + CALL_DURATION_MAX_MS)
    throw new AppError("INVALID_INPUT", `${type}: run_at is more than 366 days away`);
  const deadlineInMs = deadline === undefined ? rules.deadlineMs : parseDuration(deadline, { what: "deadline" });
  return {
    ...(delay === undefined ? {} : { delayMs: parseDuration(delay, { what: "delay" }) }),
    ...(runAtMs === undefined ? {} : { dueMs: runAtMs }),
    ...(expiresIn === undefined ? {} : { expiresInMs: parseDuration(expiresIn, { what: "expires_in" }) }),
    ...(deadlineInMs === undefined ? {} : { deadlineInMs }),
  };
}

function resolveCallLimits({
  type,
  rules,
  options,
  limits,
}: ResolveRequest): Partial<Pick<JobSpec, "timeoutMs" | "retries">> {
  const { timeout, retries } = options;
  const most = rules.retries ?? limits.retryMax;
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0 && retries <= most)) {
    throw new AppError("INVALID_INPUT", `retries is ${retries}; ${type} allows 0 to ${most}`);
  }
  return {
    ...(timeout === undefined
      ? {}
      : { timeoutMs: parseDuration(timeout, { what: `timeout of ${type}`, maxMs: rules.timeoutMaxMs }) }),
    ...(retries === undefined ? {} : { retries }),
  };
}

/** A call adds labels; one that says another value for a label of the type would leave the type's rule. */
function resolveRequires(
  type: string,
  rules: TypeRules,
  asked: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const other = Object.keys(rules.requires).find(
    (name) => Object.hasOwn(asked, name) && asked[name] !== rules.requires[name],
  );
  if (other === undefined) return { ...rules.requires, ...asked };
  throw new AppError(
    "INVALID_INPUT",
    `requires.${other} is ${asked[other]}; ${type} requires ${other}=${rules.requires[other]} and a call may only add labels`,
  );
}

function resolvePriority(asked: number | undefined, rules: TypeRules): 1 | 2 | 3 {
  const priority = asked ?? rules.priority;
  if (priority === 1 || priority === 2 || priority === 3) return priority;
  throw new AppError("INVALID_INPUT", `priority is ${priority}; it must be 1 (low), 2 or 3 (high)`);
}

function resolveAfterCrash(type: string, rules: TypeRules, parsed: unknown, asked: AfterCrash | undefined): AfterCrash {
  const own = crashRuleFor(rules.afterCrash, parsed);
  if (asked === undefined || rules.afterCrashByCaller || isAsStrict(asked, own)) return asked ?? own;
  throw new AppError("INVALID_INPUT", `after_crash is ${asked}; ${type} has ${own} and a call may only be stricter`);
}

function resolveRetryOnExit(type: string, rules: TypeRules, { retryOn }: SubmitOptions): boolean {
  if (retryOn === undefined) return false;
  if (rules.retryOnExit) return true;
  throw new AppError("INVALID_INPUT", `retry_on is ${retryOn}; ${type} has no exit status to retry on`);
}

function resolveIdempotency(
  { rules, options, inputDigest }: ResolveRequest,
  key: string,
): NonNullable<JobSpec["idempotency"]> {
  if (key.length === 0 || key.length > 512)
    throw new AppError("INVALID_INPUT", `idempotency_key has ${key.length} characters; it must have 1 to 512`);
  if (inputDigest === undefined) throw new AppError("INTERNAL", "an idempotency key needs the digest of the input");
  return { key, digest: inputDigest, windowMs: rules.idempotencyWindowMs, fresh: options.fresh ?? false };
}

function checkSecrets(type: string, rules: TypeRules, names: readonly string[]): readonly string[] {
  const refused = names.find((name) => !rules.secrets.includes(name));
  if (refused === undefined) return names;
  throw new AppError(
    "INVALID_INPUT",
    `secret ${refused} is not one that ${type} may resolve (${rules.secrets.join(", ") || "it may resolve none"}); add it to the type's list of secrets`,
  );
}

function checkMetadata(
  metadata: Readonly<Record<string, string>>,
  limits: JobLimits,
): Readonly<Record<string, string>> {
  const pairs = Object.entries(metadata);
  if (pairs.length > limits.metadataPairs) {
    throw new AppError(
      "TOO_LARGE",
      `metadata has ${pairs.length} pairs; job.metadata_pairs allows ${limits.metadataPairs}`,
    );
  }
  for (const [key, value] of pairs) {
    if (typeof value !== "string") throw new AppError("INVALID_INPUT", `metadata.${key} is not a text`);
    if (key.length === 0 || bytesAtMost(key) > 128)
      throw new AppError("TOO_LARGE", `metadata key ${JSON.stringify(key.slice(0, 40))} must have 1 to 128 bytes`);
    if (bytesAtMost(value) > 512) throw new AppError("TOO_LARGE", `metadata.${key} has more than 512 bytes`);
  }
  return metadata;
}

/** UTF-8 length without an encoder: this file is pure. */
function bytesAtMost(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

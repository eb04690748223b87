import { z } from "zod";
import { type Duration, parseDuration } from "../duration.ts";
import { AppError } from "../error.ts";
import type { JobContext } from "./context.ts";
import { checkFields, DEFINITION_FIELDS, type FieldShape } from "./definition-fields.ts";
import type {
  AfterCrash,
  BackoffRule,
  ConcurrencyRule,
  ConcurrencyStrategy,
  CrashRule,
  RateLimitRule,
  TypeRules,
} from "./rules.ts";
import { isSecretName } from "./secret.ts";

/** The code of a job type: receives the parsed input and returns the result, or throws. */
export type Handler<T extends JobType> = (
  input: z.output<T["input"]>,
  ctx: JobContext,
) => Promise<z.input<T["result"]>> | z.input<T["result"]>;

/** What {@link defineJob} takes. Only `name` and `input` are needed. */
export interface JobDefinition<Name extends string, Input extends z.ZodType, Result extends z.ZodType> {
  /** Lower-case words joined by dots, such as `app.send-mail`; unique in a program. */
  readonly name: Name;
  /** Published with the type; say another one when the meaning of its input changes. Default `1`. */
  readonly version?: string;
  /** The shape of the input: JSON in, checked before anything is stored. */
  readonly input: Input;
  /** The shape of the result. Default: any JSON value. */
  readonly result?: Result;
  /** Running time of one attempt. Default `job.timeout` (10 min), at most 24 h. */
  readonly timeout?: { readonly default?: Duration; readonly max?: Duration };
  /** Time for the whole job, waiting included. Default none. */
  readonly deadline?: Duration;
  /** Extra attempts after a failure; 0 to 100. Default `job.retry_max` (3). */
  readonly retries?: number;
  readonly backoff?: {
    readonly first?: Duration;
    readonly factor?: number;
    readonly cap?: Duration;
    readonly jitter?: number;
  };
  /** Says which thrown errors are tried again. Default: all but an `AppError` whose code is never retried. */
  readonly retryable?: (error: unknown) => boolean;
  /** What becomes of a job whose worker died in the middle. Default `rerun`. */
  readonly afterCrash?: CrashRule;
  readonly concurrency?: readonly {
    readonly key?: string;
    readonly limit: number;
    readonly strategy?: ConcurrencyStrategy;
  }[];
  /** Names shared between types, one job at a time each, such as `desktop:<host>`; `<path>` stands for a value of the input. */
  readonly locks?: readonly string[];
  readonly rateLimit?: { readonly key?: string; readonly units: number; readonly per: Duration };
  /** How long an idempotency key is remembered after the job was made. Default 24 h. */
  readonly idempotency?: { readonly window: Duration };
  /** Labels that a worker must have to run it. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Names of the secrets that its input may refer to. */
  readonly secrets?: readonly string[];
  /** Makes a schedule named after the type when a worker starts. */
  readonly cron?: string | { readonly expression: string; readonly timeZone: string };
  readonly priority?: 1 | 2 | 3;
  /** Refuses more than this many queued and scheduled jobs of the type. */
  readonly queuedMax?: number;
  /** True where a call may choose any crash rule, not only a stricter one. */
  readonly afterCrashByCaller?: boolean;
  /** True where a call may ask for retries of a non-zero exit. */
  readonly retryOnExit?: boolean;
  /** True when every outside effect is recorded before it starts. */
  readonly recordsEffects?: boolean;
  /** Path into the input of a text that becomes the job's trace id where the call gives none. */
  readonly traceId?: string;
  /** The code. Built-in types leave it out and are bound to their handler where the program is put together. */
  readonly run?: (
    input: z.output<Input>,
    ctx: JobContext,
  ) => Promise<z.input<NoInfer<Result>>> | z.input<NoInfer<Result>>;
  /** For `afterCrash: "check"`: returns the result when the work turns out to be done already, else `undefined`. */
  readonly check?: (input: z.output<Input>, ctx: JobContext) => Promise<z.input<NoInfer<Result>> | undefined>;
}

/** A job type: schemas, rules as data, and the code where this process has it. Made by {@link defineJob}. */
export interface JobType<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  /** `durable` types are made by `defineDurableJob`, and only theirs have durable calls. */
  readonly kind: "plain" | "durable";
  readonly name: Name;
  readonly version: string;
  readonly input: Input;
  readonly result: Result;
  readonly rules: TypeRules;
  /** Says which thrown errors are tried again; absent: the default rule. */
  readonly retryable?: ((error: unknown) => boolean) | undefined;
  // The two handlers take `never`, so that a list may hold types of different inputs; only their own parsed input ever reaches them.
  /** The code; absent for built-in types, which are bound to theirs where the program is put together. */
  readonly run?: ((input: never, ctx: never) => unknown) | undefined;
  /** Looks after a crash whether the work is done already. */
  readonly check?: ((input: never, ctx: JobContext) => Promise<unknown>) | undefined;
}

const NAME = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*$/;
const DAY_MS = 86_400_000;

/**
 * Declares a job type. A plain function that returns a value: nothing is registered and nothing is started.
 *
 * @throws AppError `INVALID_DEFINITION` or `INVALID_DURATION` naming the type and the field that is wrong.
 */
export function defineJob<
  const Name extends string,
  Input extends z.ZodType,
  Result extends z.ZodType = z.ZodType<unknown, unknown>,
>(definition: JobDefinition<Name, Input, Result>): JobType<Name, Input, Result> {
  checkTypeName(definition.name);
  checkFields(definition);
  return Object.freeze({
    kind: "plain" as const,
    name: definition.name,
    version: definition.version ?? "1",
    input: definition.input,
    result: definition.result ?? (z.unknown() as unknown as Result),
    rules: readRules(definition),
    retryable: definition.retryable,
    run: definition.run as JobType["run"],
    check: definition.check as JobType["check"],
  });
}

/** @throws AppError `INVALID_DEFINITION`. */
export function checkTypeName(name: string): void {
  if (NAME.test(name)) return;
  throw new AppError(
    "INVALID_DEFINITION",
    `job type ${JSON.stringify(name)}: a name is lower-case words joined by dots, such as app.send-mail`,
  );
}

// Fails to compile where a field of a definition is missing in the list that is checked.
DEFINITION_FIELDS satisfies Readonly<Record<keyof JobDefinition<string, never, never>, FieldShape>>;

type AnyDefinition = JobDefinition<string, z.ZodType, z.ZodType>;

/** The rules of a definition, read and checked. @throws AppError `INVALID_DEFINITION`, `INVALID_DURATION`. */
export function readRules(definition: AnyDefinition): TypeRules {
  const { name } = definition;
  const fail = (field: string, reason: string): never => {
    throw new AppError("INVALID_DEFINITION", `job type ${name}: ${field} ${reason}`);
  };
  const duration = (field: string, value: Duration, maxMs = DAY_MS): number =>
    parseDuration(value, { what: `job type ${name}: ${field}`, maxMs });
  const count = (field: string, value: number, min: number, max: number): number =>
    Number.isInteger(value) && value >= min && value <= max
      ? value
      : fail(field, `is ${value}; it must be a whole number from ${min} to ${max}`);

  const timeoutMaxMs = definition.timeout?.max === undefined ? DAY_MS : duration("timeout.max", definition.timeout.max);
  const timeoutMs =
    definition.timeout?.default === undefined
      ? undefined
      : duration("timeout.default", definition.timeout.default, timeoutMaxMs);
  const { deadline, retries, rateLimit, cron, queuedMax } = definition;
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    timeoutMaxMs,
    ...(deadline === undefined ? {} : { deadlineMs: duration("deadline", deadline, 366 * DAY_MS) }),
    ...(retries === undefined ? {} : { retries: count("retries", retries, 0, 100) }),
    ...(definition.backoff === undefined ? {} : { backoff: readBackoff(definition.backoff, duration, fail) }),
    afterCrash: readCrashRule(definition.afterCrash ?? "rerun", fail),
    afterCrashByCaller: definition.afterCrashByCaller ?? false,
    retryOnExit: definition.retryOnExit ?? false,
    recordsEffects: definition.recordsEffects ?? false,
    ...(definition.traceId === undefined ? {} : { traceId: definition.traceId }),
    concurrency: (definition.concurrency ?? []).map(
      (rule): ConcurrencyRule => ({
        ...(rule.key === undefined ? {} : { key: rule.key }),
        limit: count("concurrency.limit", rule.limit, 1, 1_000_000),
        strategy: oneOf("concurrency.strategy", rule.strategy ?? "queue", STRATEGIES, fail),
      }),
    ),
    locks: definition.locks ?? [],
    ...(rateLimit === undefined ? {} : { rateLimit: readRateLimit(rateLimit, duration, count) }),
    idempotencyWindowMs:
      definition.idempotency === undefined
        ? DAY_MS
        : duration("idempotency.window", definition.idempotency.window, 366 * DAY_MS),
    requires: definition.requires ?? {},
    secrets: readSecrets(definition.secrets ?? [], fail),
    ...(cron === undefined ? {} : { cron: typeof cron === "string" ? { expression: cron, timeZone: "UTC" } : cron }),
    priority: oneOf("priority", definition.priority ?? 2, [1, 2, 3], fail),
    ...(queuedMax === undefined ? {} : { queuedMax: count("queuedMax", queuedMax, 1, 10_000_000) }),
  };
}

// Types alone do not hold these: Node runs a user's TypeScript without checking it.
const STRATEGIES: readonly ConcurrencyStrategy[] = ["queue", "cancel-newest"];
const AFTER_CRASH: readonly AfterCrash[] = ["rerun", "check", "stop"];

function oneOf<T>(field: string, value: T, allowed: readonly T[], fail: (field: string, reason: string) => never): T {
  return allowed.includes(value)
    ? value
    : fail(field, `is ${JSON.stringify(value)}; it must be one of ${allowed.join(", ")}`);
}

function readCrashRule(rule: CrashRule, fail: (field: string, reason: string) => never): CrashRule {
  const words = typeof rule === "string" ? [rule] : [...Object.values(rule.cases), rule.otherwise];
  for (const word of words) oneOf("afterCrash", word, AFTER_CRASH, fail);
  return rule;
}

function readSecrets(names: readonly string[], fail: (field: string, reason: string) => never): readonly string[] {
  const wrong = names.find((name) => !isSecretName(name));
  return wrong === undefined
    ? names
    : fail(
        "secrets",
        `holds ${JSON.stringify(wrong)}; a name is capitals, digits and _, as of an environment variable`,
      );
}

function readBackoff(
  backoff: NonNullable<AnyDefinition["backoff"]>,
  duration: (field: string, value: Duration, maxMs?: number) => number,
  fail: (field: string, reason: string) => never,
): Partial<BackoffRule> {
  const { first, factor, cap, jitter } = backoff;
  if (factor !== undefined && !(factor >= 1 && factor <= 10))
    fail("backoff.factor", `is ${factor}; it must be 1 to 10`);
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1)) fail("backoff.jitter", `is ${jitter}; it must be 0 to 1`);
  return {
    ...(first === undefined ? {} : { firstMs: duration("backoff.first", first) }),
    ...(factor === undefined ? {} : { factor }),
    ...(cap === undefined ? {} : { capMs: duration("backoff.cap", cap) }),
    ...(jitter === undefined ? {} : { jitter }),
  };
}

function readRateLimit(
  rule: NonNullable<AnyDefinition["rateLimit"]>,
  duration: (field: string, value: Duration) => number,
  count: (field: string, value: number, min: number, max: number) => number,
): RateLimitRule {
  return {
    ...(rule.key === undefined ? {} : { key: rule.key }),
    units: count("rateLimit.units", rule.units, 1, 1_000_000),
    perMs: duration("rateLimit.per", rule.per),
  };
}

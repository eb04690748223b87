/** What becomes of a job whose worker died in the middle, from free to strict. */
export type AfterCrash = "rerun" | "check" | "stop";

/** The crash rule of a type: one word, or a table over one input field (as `http.request` has over its method). */
export type CrashRule =
  | AfterCrash
  | { readonly field: string; readonly cases: Readonly<Record<string, AfterCrash>>; readonly otherwise: AfterCrash };

/** What a full concurrency key does with one job more: let it wait, or cancel it. */
export type ConcurrencyStrategy = "queue" | "cancel-newest";

/** At most `limit` jobs of the type at once for each value found at `key` (a dotted path into the input). */
export interface ConcurrencyRule {
  /** Absent: one key for the whole type. */
  readonly key?: string;
  readonly limit: number;
  readonly strategy: ConcurrencyStrategy;
}

/** At most `units` starts at once, refilled evenly over `perMs`, for each value found at `key`. */
export interface RateLimitRule {
  readonly key?: string;
  readonly units: number;
  readonly perMs: number;
}

/** How long a failed attempt waits: `min(cap, first * factor^(failures - 1))`, spread by +/- `jitter`. */
export interface BackoffRule {
  readonly firstMs: number;
  readonly factor: number;
  readonly capMs: number;
  /** 0 to 1: the share of the delay that is drawn at random. */
  readonly jitter: number;
}

/**
 * The rules of a job type as plain data: what a worker publishes and a submitting process obeys. Times in milliseconds.
 * Fields that are absent fall to the configured limits.
 */
export interface TypeRules {
  readonly timeoutMs?: number;
  readonly timeoutMaxMs: number;
  readonly deadlineMs?: number;
  readonly retries?: number;
  readonly backoff?: Partial<BackoffRule>;
  readonly afterCrash: CrashRule;
  /** True where a call may choose any crash rule, not only a stricter one. */
  readonly afterCrashByCaller: boolean;
  /** True where a call may ask for `retryOn: "exit"`. */
  readonly retryOnExit: boolean;
  /** True when every outside effect is recorded before it starts, so that recovery can look for it. */
  readonly recordsEffects: boolean;
  /** Path into the input of a text that becomes the job's trace id where the call gives none. */
  readonly traceId?: string;
  readonly concurrency: readonly ConcurrencyRule[];
  /** Names shared between types, such as `desktop:<host>`; `<path>` stands for a value of the input. */
  readonly locks: readonly string[];
  readonly rateLimit?: RateLimitRule;
  readonly idempotencyWindowMs: number;
  readonly requires: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly cron?: { readonly expression: string; readonly timeZone: string };
  readonly priority: 1 | 2 | 3;
  readonly queuedMax?: number;
  /** Its code has durable calls: what it did is recorded, and it goes on from there. */
  readonly durable?: true;
}

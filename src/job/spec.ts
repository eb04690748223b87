import type { AfterCrash, BackoffRule, ConcurrencyStrategy } from "./rules.ts";

/** What a job obeys, resolved when it was submitted and fixed for its life. Shared by all jobs of a type with the same rules. */
export interface JobRules {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly backoff: BackoffRule;
  readonly crashesMax: number;
  readonly recordsEffects: boolean;
  /** Unusual events kept in its history; further ones are counted. */
  readonly historyRowsMax: number;
  readonly rate?: { readonly units: number; readonly perMs: number };
  /** Its code has durable calls. */
  readonly durable?: true;
}

/** A concurrency key or lock that the job needs: its full name, how many may hold it, and what a full one does. */
export interface KeyNeed {
  readonly key: string;
  readonly limit: number;
  readonly strategy: ConcurrencyStrategy;
}

/** The job that made this one. */
export interface ParentRef {
  readonly jobId: string;
  readonly runNumber: number;
  /** The child's place among its parent's children: its key, or the ordinal of the call. */
  readonly slot: string;
  /** The parent waits for it. */
  readonly awaited?: true;
  /** It goes on when the parent is cancelled. */
  readonly detached?: true;
}

/** A job as a backend accepts it: everything decided, nothing left to look up. Times in Unix milliseconds. */
export interface JobSpec {
  readonly type: string;
  /** The input as it was given, as JSON text: secrets stand in it by reference only. */
  readonly inputJson: string;
  readonly requires: Readonly<Record<string, string>>;
  readonly rules: JobRules;
  readonly afterCrash: AfterCrash;
  readonly retryOnExit: boolean;
  readonly priority: 1 | 2 | 3;
  /** Absent: now, by the backend's clock. */
  readonly dueMs?: number;
  readonly delayMs?: number;
  readonly expiresInMs?: number;
  readonly deadlineInMs?: number;
  /** Where the call asks for other values than the rules have. */
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly keys: readonly KeyNeed[];
  /** The bucket that this job's starts are taken from. */
  readonly rateKey?: string;
  readonly idempotency?: {
    readonly key: string;
    readonly digest: string;
    readonly windowMs: number;
    readonly fresh: boolean;
  };
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of the secrets that the input refers to. */
  readonly secrets: readonly string[];
  /** Absent: the backend makes one of the job's id. */
  readonly traceId?: string;
  readonly parent?: ParentRef;
  readonly queuedMax?: number;
}

import type { z } from "zod";
import type { Duration } from "../../duration.ts";
import type { ChildOptions, JobLog, KeptFile, Progress, StopReason } from "../context.ts";
import type { JobType } from "../definition.ts";
import type { ApproveOptions } from "./approve-options.ts";
import type { ApprovalAnswer } from "./approve-outcome.ts";
import type { EventMatch } from "./match.ts";

/** A value as the record keeps it and gives it back, live too: what JSON makes of it. A `Date` is a text. */
export type Recorded<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Date
    ? string
    : T extends (...args: never) => unknown
      ? undefined
      : T extends object
        ? { [K in keyof T]: Recorded<T[K]> }
        : T;

/** How a step is tried. */
export interface StepOptions {
  /** Further tries after an error, 0 to 100. Default 0. An `AppError` whose code is never retried ends them. */
  readonly retries?: number;
  /** Waits between tries. Default `job.retry_backoff`, `job.backoff_factor`, `job.backoff_cap`, `job.backoff_jitter`. */
  readonly backoff?: {
    readonly first?: Duration;
    readonly factor?: number;
    readonly cap?: Duration;
    readonly jitter?: number;
  };
  /** The longest that one try may take. Default: the attempt's. */
  readonly timeout?: Duration;
}

/** What the function of a step receives. */
export interface StepContext {
  /** The same for every try and every replay of this step: for the idempotency header of what it calls. */
  readonly stepKey: string;
  /** Fires when the step should stop. */
  readonly signal: AbortSignal;
  /** Keeps a file as evidence; it counts as soon as the step's record does. @throws AppError as in a plain job. */
  keep(path: string, content: string | Uint8Array): Promise<KeptFile>;
}

/** Why the signal of a durable job fired. `suspended`: this execution of its code does not go on, another one may. */
export type DurableStopReason = StopReason | "suspended";

/** Which event to wait for. */
export interface WaitForOptions<Schema extends z.ZodType = z.ZodType> {
  /** Paths into the payload and the values that must stand there. Default: every event of the name. */
  readonly match?: EventMatch;
  /** Reads the payload; one that does not fit is `INVALID_INPUT`. */
  readonly schema?: Schema;
  /** How long to wait, 1 ms to 366 d. Then the answer is `undefined`. Default: for ever. */
  readonly timeout?: Duration;
  /** How old an event may be. Default: as old as the run. */
  readonly lookBack?: Duration;
}

/** What a child of a durable job may be given. */
export type DurableChildOptions = Omit<ChildOptions, "key">;

/** The user's side of a transaction: rows of their own tables in the same file. */
export interface TransactionTables {
  /** Runs a statement that changes rows or makes tables; values are bound to its `?`. */
  run(sql: string, ...values: SqlArgument[]): { readonly changes: number; readonly lastInsertRowid: number };
  /** The first row, `undefined` when there is none. */
  get<Row>(sql: string, ...values: SqlArgument[]): Row | undefined;
  /** All rows. */
  all<Row>(sql: string, ...values: SqlArgument[]): Row[];
}

/** A value that may be bound to a statement. */
export type SqlArgument = string | number | bigint | null | Uint8Array;

/** Refuses a function that returns a promise when it is compiled. */
type Synchronous<T> = [T] extends [never]
  ? unknown
  : [T] extends [PromiseLike<unknown>]
    ? "transaction takes a synchronous function"
    : unknown;

/** What {@link DurableContext.all} answers. @typeParam Calls the thunks by their keys. */
export type AllOf<Calls extends Readonly<Record<string, () => Promise<unknown>>>> = {
  readonly [K in keyof Calls]: Awaited<ReturnType<Calls[K]>>;
};

/**
 * What the code of a durable job receives beside its input. Each of its calls is recorded under its position, the ordinal of
 * the call. When the job goes on after a wait, a crash or on another worker, the code runs from the top and what it did is
 * answered from the record; so between the calls it must do the same each time, and work that acts outside stands in a step.
 */
export interface DurableContext<Input = unknown> {
  /** The job's id, the same for every run and attempt. */
  readonly jobId: string;
  /** From 1; a replay is the next run, and so is what `continueAs` starts. */
  readonly runNumber: number;
  /** How often this run was started or went on; do not branch on it. */
  readonly attempt: number;
  /** Goes from whoever asked through the job to everything that it calls. */
  readonly traceId: string;
  /** Fires when the code should stop; its `reason` is a {@link DurableStopReason}. */
  readonly signal: AbortSignal;
  /** Writes into the job's log; silent while recorded calls are passed again. */
  readonly log: JobLog;
  /** Says how far the job is. Cheap; the last one counts. */
  progress(progress: Progress): void;

  /**
   * Runs a function and records what came of it before this answers. A step whose process died before that runs again:
   * it is at-least-once, its record exactly-once; `stepKey` is the remedy.
   *
   * @throws AppError what the function threw, by its code, message and details; `HANDLER_FAILED` for an error without a code.
   */
  step<T>(name: string, work: (step: StepContext) => T, options?: StepOptions): Promise<Recorded<Awaited<T>>>;
  /** Waits, without a slot and across restarts, never less than this. @throws AppError `INVALID_DURATION`. */
  sleep(duration: Duration): Promise<void>;
  /** Waits until a time; one in the past returns at once. @throws AppError `INVALID_INPUT` for what is no date. */
  sleepUntil(time: Date): Promise<void>;
  /**
   * Waits for an event that somebody emits and answers its payload; one that came since the run began counts, but each only
   * once in a run.
   *
   * @throws AppError `INVALID_INPUT` when the payload does not fit the schema.
   */
  waitFor<Schema extends z.ZodType = z.ZodType<unknown>>(
    event: string,
    options: WaitForOptions<Schema> & { readonly timeout: Duration },
  ): Promise<z.output<Schema> | undefined>;
  /** As above, without a timeout. */
  waitFor<Schema extends z.ZodType = z.ZodType<unknown>>(
    event: string,
    options?: WaitForOptions<Schema>,
  ): Promise<z.output<Schema>>;
  /**
   * Asks people for their leave and answers what they decided. They sign what they are shown, title and details, and their
   * signatures are verified when the job goes on and each time that its code passes here again; so a run whose approval was
   * altered, or whose approver was taken out of the policy, ends with the error past this code.
   *
   * @throws AppError `APPROVAL_EXPIRED` with `onExpiry: "fail"`; `APPROVER_UNKNOWN` when the policy does not know enough of
   * those who are asked; `INVALID_INPUT`, `INVALID_DURATION`, `TOO_LARGE` for what cannot be asked.
   */
  approve(options: ApproveOptions): Promise<ApprovalAnswer>;
  /**
   * Runs a job as a child and answers its result. The same child on replay; it is cancelled with this job.
   *
   * @throws AppError the child's code, message and details, with its id as `details.job_id`; `CONCURRENCY_DEADLOCK` when it
   * needs a key that this job or one that waits for it holds; what `submit` throws.
   */
  run<T extends JobType>(
    type: T,
    input: z.input<T["input"]>,
    options?: DurableChildOptions,
  ): Promise<z.output<T["result"]>>;
  /** As above, by the name of the type: the result is not checked. */
  run(type: string, input: unknown, options?: DurableChildOptions): Promise<unknown>;
  /**
   * Enqueues a job and goes on. A `detached` one goes on when this job is cancelled.
   *
   * @throws AppError what `submit` throws; `LIMIT_REACHED` beyond `job.depth_max` or `job.spawn_rate`.
   */
  enqueue<T extends JobType>(
    type: T,
    input: z.input<T["input"]>,
    options?: DurableChildOptions & { readonly detached?: boolean },
  ): Promise<{ readonly jobId: string }>;
  /** As above, by the name of the type. */
  enqueue(
    type: string,
    input: unknown,
    options?: DurableChildOptions & { readonly detached?: boolean },
  ): Promise<{ readonly jobId: string }>;
  /**
   * Makes several single calls at once, in the order of their keys, and waits for all of them:
   * `ctx.all({ a: () => ctx.step("a", work), b: () => ctx.sleep("1m") })`.
   *
   * @typeParam Calls the thunks by their keys.
   * @throws AppError the error of the first key, in that order, whose call failed.
   */
  all<const Calls extends Readonly<Record<string, () => Promise<unknown>>>>(calls: Calls): Promise<AllOf<Calls>>;
  /** The time, recorded. */
  now(): Promise<Date>;
  /** A number from 0 up to 1, recorded. */
  random(): Promise<number>;
  /** A UUID of version 4, recorded. */
  uuid(): Promise<string>;
  /**
   * Runs a synchronous function on rows of your own tables in Windlass's file; they commit together with the record, so this
   * happens exactly once. Only where the backend has the capability `transaction`.
   *
   * @throws AppError as `step` does, and then the rows are undone.
   */
  transaction<T>(name: string, action: ((db: TransactionTables) => T) & Synchronous<T>): Promise<Recorded<T>>;
  /**
   * Ends this run and its log and starts the next one with this input; the code after it is not reached.
   *
   * @throws AppError `INVALID_INPUT` for an input that the type does not take, or that holds the value of a secret.
   */
  continueAs(input: Input): Promise<never>;
  /**
   * Which version of the code this run goes by: `version`, or the number that was recorded when the run first passed here; 0
   * when it passed before the code had this call.
   */
  version(name: string, version: number): Promise<number>;
}

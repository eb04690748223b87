import type { Capabilities } from "../backend/capabilities.ts";
import type { Duration } from "../duration.ts";
import type { JobType } from "../job/definition.ts";
import type { SubmitOptions } from "../job/options.ts";
import type { Actor } from "../policy/actor.ts";
import type { ApprovalsClient } from "./approvals.ts";
import type { Cancelled } from "./cancel.ts";
import type { EmitOptions, EmittedEvent } from "./emit-event.ts";
import type { EmbeddedClient } from "./enqueue-with.ts";
import type { JobStatus } from "./job-status.ts";
import type { JobPage, ListFilter } from "./list-jobs.ts";
import type { InputOf, ResultOf, RunOptions, SubmitRequest, SubmittedJob, WaitOptions } from "./requests.ts";
import type { CronTimes, FutureJob, FutureTime, NewSchedule, ScheduledItem } from "./schedule.ts";
import type { RunningWorker, StartWorkerOptions } from "./start-worker.ts";

/**
 * A connection to the place where jobs live. Every method throws {@link AppError} with a code of {@link ERRORS}; after
 * {@link WindlassClient.close} all of them throw `CLIENT_CLOSED`.
 *
 * A job type may be given as the value that `defineJob` returned, and then input and result are typed; it must be one of
 * `openWindlass`'s `jobs` or built in. Or by its name, with any input: a type that only workers have loaded is checked
 * against what they published.
 */
export interface WindlassClient extends AsyncDisposable {
  /** Who its calls are recorded as. */
  readonly actor: Actor;
  /** What the backend can do; code that runs on several branches on these. */
  readonly capabilities: Capabilities;
  /** Sentences about the configuration that was read, for a log; usually none. */
  readonly warnings: readonly string[];
  /** What only the embedded backend can do; `undefined` on another. */
  readonly embedded: EmbeddedClient | undefined;
  /** What waits for people, and what they say to it. */
  readonly approvals: ApprovalsClient;

  /**
   * Stores a job. It is on disk before this resolves.
   *
   * @throws AppError `INVALID_INPUT` naming the field, `INVALID_DURATION`, `UNKNOWN_JOB_TYPE` with the nearest names,
   * `IDEMPOTENCY_CONFLICT`, `QUEUE_FULL`, `TOO_LARGE`, `POLICY_DENIED`, `DATABASE_*`; then nothing is stored. After
   * `COMMIT_UNKNOWN` nobody knows: submit again with the same `idempotencyKey`.
   */
  submit<T extends JobType>(type: T, input: InputOf<T>, options?: SubmitOptions): Promise<SubmittedJob>;
  /** As above, by the name of the type. */
  submit(type: string, input: unknown, options?: SubmitOptions): Promise<SubmittedJob>;

  /**
   * Stores many jobs in one commit: all or none. Answers in their order.
   *
   * @throws AppError as `submit` does.
   */
  submitMany<const T extends readonly (JobType | string)[]>(
    requests: {
      readonly [K in keyof T]: SubmitRequest<T[K]>;
    },
  ): Promise<readonly SubmittedJob[]>;

  /**
   * Submits a job and waits for its result. Some worker must serve its type: one of another process, or
   * {@link WindlassClient.startWorker}.
   *
   * @returns its result, read by the type's result schema; so that schema must accept what it gave.
   * @throws AppError the job's own code, message and details when it did not complete (`CANCELLED`, `EXPIRED`, `TIMEOUT`,
   * `HANDLER_FAILED`, …), with the job's id as `details.job_id`; `WAIT_TIMEOUT` when the wait ended first: the job goes on;
   * what `submit` throws.
   */
  runAndWait<T extends JobType>(type: T, input: InputOf<T>, options?: RunOptions): Promise<ResultOf<T>>;
  /** As above, by the name of the type: the result is checked only when this client has loaded it. */
  runAndWait(type: string, input: unknown, options?: RunOptions): Promise<unknown>;

  /**
   * Waits until a job has ended, however it ended.
   *
   * @throws AppError `JOB_NOT_FOUND`, `WAIT_TIMEOUT`.
   */
  wait(jobId: string, options?: WaitOptions): Promise<JobStatus>;

  /**
   * Makes a job that starts later: `{ after: "10m" }` or `{ at: new Date("2027-01-01T08:00:00Z") }`, with the options of
   * `submit` beside it.
   *
   * @throws AppError `INVALID_DURATION` for a delay that is 0, negative, not a number or another text; as `submit` does.
   */
  schedule<T extends JobType>(type: T, input: InputOf<T>, time: FutureTime): Promise<FutureJob>;
  /** As above, by the name of the type. */
  schedule(type: string, input: unknown, time: FutureTime): Promise<FutureJob>;
  /**
   * Makes a schedule: `{ cron: "30 2 * * *", timeZone: "Europe/Berlin" }`. Saying the same again changes nothing.
   *
   * @throws AppError `INVALID_CRON` naming the field, `SCHEDULE_EXISTS` when the name has other content and `replace` is not
   * set, `INVALID_INPUT`.
   */
  schedule<T extends JobType>(type: T, input: InputOf<T>, times: CronTimes): Promise<NewSchedule>;
  /** As above, by the name of the type. */
  schedule(type: string, input: unknown, times: CronTimes): Promise<NewSchedule>;

  /** What is still to come, the soonest first: jobs whose first start lies ahead, and schedules (paused ones last). */
  scheduled(): Promise<readonly ScheduledItem[]>;

  /**
   * Cancels a job by its id (with the jobs that it started), a future job likewise, or a schedule by its name.
   *
   * @throws AppError `JOB_NOT_FOUND` when it names neither.
   */
  cancel(idOrScheduleName: string): Promise<Cancelled>;

  /** What is known of a job now; `undefined` when there is none of that id. */
  status(jobId: string): Promise<JobStatus | undefined>;

  /** Jobs, newest first, a page at a time. */
  list(filter?: ListFilter): Promise<JobPage>;

  /**
   * Sends an event to the durable jobs that wait for it (`ctx.waitFor`). One that begins to wait later finds it too, when it
   * is no older than the job and is still kept: as long as any unfinished run is older, and at least an hour.
   *
   * @throws AppError `INVALID_INPUT`, `TOO_LARGE`, `POLICY_DENIED`.
   */
  emit(event: string, payload: unknown, options?: EmitOptions): Promise<EmittedEvent>;

  /**
   * Runs jobs in this process: the types that this client has loaded and the built-in ones. It keeps the process alive
   * until it has stopped, and installs no signal handlers.
   *
   * @throws AppError `INVALID_INPUT` naming the option.
   */
  startWorker(options?: StartWorkerOptions): Promise<RunningWorker>;

  /**
   * Stops this client's workers (they let their jobs finish for `grace`, default `worker.grace`), ends its waits with
   * `CLIENT_CLOSED`, lets calls that are under way come to their end and closes the connection. Idempotent, also when it is
   * called twice at once.
   */
  close(options?: { readonly grace?: Duration }): Promise<void>;
}

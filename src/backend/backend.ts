import type { ArtifactIndex } from "../artifact/manifest.ts";
import type { HistoryRow } from "../job/history.ts";
import type { JobState } from "../job/state.ts";
import type { Actor } from "../policy/actor.ts";
import type { Acceptance, Accepted } from "./acceptance.ts";
import type { ApprovalStore } from "./approvals.ts";
import type { Capabilities } from "./capabilities.ts";
import type { EmitResult, EventRequest } from "./events.ts";
import type { PolicyLog } from "./policy-log.ts";
import type {
  Explanation,
  JobFilter,
  JobStats,
  JobStatus,
  JobSummary,
  PublishedType,
  SettledOptions,
  WorkerInfo,
} from "./reading.ts";
import type { ScheduleStore } from "./schedules.ts";
import type { BackendWorker, ServeOptions } from "./serving.ts";

/** What came of a cancel. */
export type CancelResult =
  | { readonly kind: "cancelled" }
  | { readonly kind: "requested" }
  | { readonly kind: "finished"; readonly state: JobState }
  | { readonly kind: "not_found" };

/** What came of a replay. */
export type ReplayResult =
  | { readonly kind: "started"; readonly runNumber: number }
  | { readonly kind: "unfinished"; readonly state: JobState }
  | { readonly kind: "not_found" };

/** How a finished job is started over. */
export interface ReplayOptions {
  /** Of a durable job: the position or name of a call; what came before it is taken over from the last run's record. */
  readonly from?: string;
}

/**
 * Who makes jobs durable. Black-box: submit, observe, cancel, serve; how work is assigned is the backend's own affair.
 * One conformance suite (`test/conformance/`) holds every backend to it.
 */
export interface Backend extends AsyncDisposable {
  readonly capabilities: Capabilities;
  /**
   * Stores jobs durably before it resolves; only `submit.ts` calls it. All or nothing.
   *
   * @param options `startOn`: a worker of this process that should run the jobs itself where they are due.
   * @throws AppError `IDEMPOTENCY_CONFLICT`, `QUEUE_FULL`, `LIMIT_REACHED`, `TOO_LARGE`, `DATABASE_*`, `COMMIT_UNKNOWN`.
   */
  accept(
    acceptances: readonly Acceptance[],
    options?: { readonly startOn?: BackendWorker },
  ): Promise<readonly Accepted[]>;
  /** What is known of a job now; `undefined` for an id that this backend has not made. Sees every write of this process. */
  status(jobId: string): Promise<JobStatus | undefined>;
  /**
   * Resolves with the first status for which `until` holds (default: a final state); looks again whenever something moved.
   *
   * @throws AppError `WAIT_TIMEOUT` after `withinMs`, `JOB_NOT_FOUND`; the signal's reason.
   */
  settled(jobId: string, options?: SettledOptions): Promise<JobStatus>;
  /** One page, newest first, and where the next one begins; `null` at the end. */
  list(filter: JobFilter): Promise<{ readonly jobs: readonly JobSummary[]; readonly cursor: string | null }>;
  /** Counts over all jobs; reads them, so it is for people and metrics. */
  stats(): Promise<JobStats>;
  /** Oldest first, over all runs; empty for an unknown job. */
  history(jobId: string): Promise<readonly HistoryRow[]>;
  /** Why a job is not running. */
  explain(jobId: string): Promise<Explanation>;
  /** Cancels a job and its unfinished children: at once where nothing runs, else by a request that its worker sees. */
  cancel(jobId: string, actor: Actor): Promise<CancelResult>;
  /**
   * Starts the next run of a finished job.
   *
   * @throws AppError `INVALID_INPUT` for a place to begin at that the record does not have.
   */
  replay(jobId: string, actor: Actor, options?: ReplayOptions): Promise<ReplayResult>;
  /**
   * Stores an event and gives it to the jobs that wait for it; those that look for it later find it too, as long as it is
   * younger than they are and at least an hour.
   *
   * @throws AppError `INVALID_INPUT`, `TOO_LARGE`, `DATABASE_*`.
   */
  emit(request: EventRequest, actor: Actor): Promise<EmitResult>;
  /** What workers have published, by name. */
  types(): Promise<readonly PublishedType[]>;
  /** Workers that have not said that they stopped, dead ones too. */
  workers(): Promise<readonly WorkerInfo[]>;
  readonly schedules: ScheduleStore;
  readonly artifacts: ArtifactIndex;
  readonly policyLog: PolicyLog;
  readonly approvals: ApprovalStore;
  /**
   * Starts a worker in this process.
   *
   * @throws AppError `INVALID_DEFINITION` for two types of one name, `UNSUPPORTED` for what the backend cannot keep.
   */
  serve(options: ServeOptions): Promise<BackendWorker>;
  /** Stops this process's workers at once and commits what is waiting. Idempotent. */
  close(): Promise<void>;
}

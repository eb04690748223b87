import type { Approval, ApprovalDemand, ApprovalTerms } from "../approval/approval.ts";
import type { Judgement } from "../approval/judgement.ts";
import type { ArtifactIndex } from "../artifact/manifest.ts";
import type { Handlers } from "../attempt/handlers.ts";
import type { ErrorRecord } from "../error.ts";
import type { ChildOptions, Progress } from "../job/context.ts";
import type { JobType } from "../job/definition.ts";
import type { HistoryRow } from "../job/history.ts";
import type { TypeRules } from "../job/rules.ts";
import type { JobSpec, ParentRef } from "../job/spec.ts";
import type { JobState, Outcome } from "../job/state.ts";
import type { Actor } from "../policy/actor.ts";
import type { ApprovalStore } from "./approvals.ts";
import type { Capabilities } from "./capabilities.ts";
import type { LimitedUse, PolicyLog } from "./policy-log.ts";
import type { ScheduleStore } from "./schedules.ts";

/** A job that {@link Backend.accept} took, or the earlier one that its key names. */
export interface Accepted {
  readonly jobId: string;
  readonly state: JobState;
  readonly traceId: string;
  readonly queuedAtMs: number;
  /** True when an idempotency key, a child's slot or a schedule's slot gave an earlier job back. */
  readonly existing: boolean;
  /** It waits for this approval before it runs. */
  readonly approvalId?: string;
}

/** The question that is put to people before a job runs. Its time begins when the job is due. */
export interface JobQuestion extends ApprovalDemand {
  readonly title: string;
  /** JSON-safe: all that will be done. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** One job to accept. */
export interface Acceptance {
  readonly spec: JobSpec;
  readonly actor: Actor;
  /** The slot of a schedule that this job fills; the same slot is filled once. */
  readonly slot?: { readonly schedule: string; readonly instantMs: number; readonly missed: number };
  /** What it was asked for as; the policy is asked with it again before the job runs. Default `jobs.enqueue`. */
  readonly operation?: string;
  /** What the policy file said; for the history. */
  readonly verdict?: { readonly rule: string; readonly policy: "enforced" | "advisory" };
  /** Counted in the same commit, or it is not accepted. An earlier job that is given back is not counted. */
  readonly use?: LimitedUse;
  /** The policy wants leave for it: it waits for that before anything else is held for it. */
  readonly question?: JobQuestion;
}

/** What is known of a job now. Times in Unix milliseconds. */
export interface JobStatus {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  readonly runNumber: number;
  /** How often this run was started. */
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  readonly traceId: string;
  readonly priority: 1 | 2 | 3;
  readonly actor: Actor;
  /** The job that made it. */
  readonly parentId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly queuedAtMs: number;
  /** When it is due; later than `queuedAtMs` for a delayed job and while a retry waits. */
  readonly dueAtMs: number;
  /** When the newest attempt started. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly cancelRequested: boolean;
  readonly progress: Progress | null;
  readonly result: unknown;
  readonly error: ErrorRecord | null;
  readonly input: unknown;
  /** Running time of one attempt. */
  readonly timeoutMs: number;
  /** Secrets that the input refers to, by name. */
  readonly secrets: readonly string[];
  /** Absolute path of the folder of the attempt that runs now, where this backend shares a disk with its workers. */
  readonly folder: string | null;
}

/** How to wait for a job. */
export interface SettledOptions {
  /** Default: without limit. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
  /** Default: it has ended. */
  readonly until?: (status: JobStatus) => boolean;
}

/** Which jobs to list, newest first; all conditions hold. */
export interface JobFilter {
  readonly state?: JobState;
  readonly type?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Queued at this time or later. */
  readonly sinceMs?: number;
  /** 1 to 1,000. */
  readonly limit: number;
  /** As an earlier page gave it. */
  readonly cursor?: string;
}

/** One line of a list. */
export interface JobSummary {
  readonly jobId: string;
  readonly type: string;
  readonly state: JobState;
  readonly outcome: Outcome | null;
  /** How often its newest run was started. */
  readonly attempt: number;
  readonly queuedAtMs: number;
  /** When it may start. */
  readonly dueAtMs: number;
  /** When the newest attempt started. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
}

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

/** What an open call of a durable job waits for. */
export type WaitKind = "sleep" | "event" | "child" | "approval";

/** What waits, and for what. Times in Unix milliseconds. */
export interface WaitingStats {
  readonly jobs: number;
  /** Since when the oldest of them waits. */
  readonly oldestMs: number | null;
  /** Open calls; a job may have several. */
  readonly waits: Readonly<Record<WaitKind, number>>;
  /** Waits whose time has come and that no worker has ended. */
  readonly overdue: number;
  /** Since when the first of those is due. */
  readonly overdueSinceMs: number | null;
  /** Events that are kept. */
  readonly events: number;
  /** Of those, events that some who waited for them do not have yet. */
  readonly eventsOpen: number;
  readonly oldestEventMs: number | null;
}

/** Counts by type and state, and how long the oldest due job has waited. */
export interface JobStats {
  readonly counts: readonly { readonly type: string; readonly state: JobState; readonly count: number }[];
  readonly oldestQueuedMs: number | null;
  readonly waiting: WaitingStats;
}

/** A job type as a worker published it. */
export interface PublishedType {
  readonly name: string;
  readonly version: string;
  readonly rules: TypeRules;
  /** JSON Schema (2020-12) of the input. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** A worker process as others see it. */
export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  readonly alive: boolean;
}

/** What a job waits for. */
export interface Explanation {
  readonly state: JobState | "not_found";
  /** A word for each reason, such as `no_worker`, `key`, `rate`, `approval`, `future`, `retry`, `sleep`, `event`, `child`, `running`, `lost` (its worker died), `stalled`, `finished`. */
  readonly reason: string;
  /** One sentence that says it, and what to do where something can be done. */
  readonly sentence: string;
}

/** A job type with the code that runs it. */
export interface ServedType {
  readonly type: JobType;
  readonly handlers: Handlers;
}

/** What a worker tells while it runs: one call for each move of a job, and for what goes wrong beside. */
export type WorkerEvent =
  | {
      readonly kind: "claimed" | "completed" | "failed" | "cancelled" | "released" | "suspended" | "continued";
      readonly jobId: string;
      readonly type: string;
      readonly traceId: string;
      readonly attempt: number;
      readonly retriesLeft: number;
      readonly final: boolean;
      readonly durationMs?: number;
      readonly error?: ErrorRecord;
    }
  | { readonly kind: "reclaimed"; readonly jobId: string; readonly from: string; readonly reason: string }
  | { readonly kind: "problem"; readonly error: ErrorRecord };

/** A running job as the parent of another. */
export interface ParentJob {
  readonly ref: ParentRef;
  readonly actor: Actor;
  readonly traceId: string;
}

/** A job as the policy is asked about it: when it is submitted, and again before it runs. */
export interface AskedJob {
  readonly actor: Actor;
  readonly operation: string;
  readonly type: string;
  /** As its schema read it. */
  readonly input: unknown;
  /** As it was given and stored. */
  readonly given: unknown;
  /** Labels that its worker must have. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A call of a durable job that asks people, as the policy is asked about it. */
export interface AskedCall {
  readonly actor: Actor;
  /** The job's type. */
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the call itself wants. */
  readonly wanted: ApprovalDemand;
  /** True when nobody was asked yet: then those who are must be able to answer. */
  readonly isNew: boolean;
}

/** Submits a child. */
export type SubmitChild = (
  parent: ParentJob,
  type: string,
  input: unknown,
  options: ChildOptions,
) => Promise<{ readonly jobId: string }>;

/** Prepares a child that a durable job's backend accepts in the transaction that records the call. */
export type PrepareChild = (
  parent: ParentJob,
  type: string,
  input: unknown,
  options: ChildOptions,
) => Promise<Acceptance>;

/** An event to emit. */
export interface EventRequest {
  readonly event: string;
  /** A JSON value. */
  readonly payload: unknown;
  /** The same event and id are stored once, as long as events are kept. */
  readonly eventId?: string;
}

/** What came of an event. */
export interface EmitResult {
  readonly eventId: string;
  /** True when its id was known: nothing was stored. */
  readonly existing: boolean;
  /** Jobs that waited for it and go on; others may find it later. */
  readonly given: number;
}

/** How a finished job is started over. */
export interface ReplayOptions {
  /** Of a durable job: the position or name of a call; what came before it is taken over from the last run's record. */
  readonly from?: string;
}

/** How a worker runs. */
export interface ServeOptions {
  readonly types: readonly ServedType[];
  /** Jobs at once; 1 to 100. */
  readonly concurrency: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What to do with a process whose event loop a handler blocks beyond its timeout: end it, or only tell. */
  readonly onStuck: "report" | "kill";
  /** Called for each move of a job and each problem; what it throws is reported and harms nothing. */
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Submits a job that a running one asks for; the one submit function. */
  readonly submitChild: SubmitChild;
  /** As {@link ServeOptions.submitChild}, up to the storing. */
  readonly prepareChild: PrepareChild;
  /**
   * Asks the policy of this process before a job runs.
   *
   * @returns what leave is needed; `undefined` where it is free to run.
   * @throws AppError `POLICY_DENIED`.
   */
  readonly checkPolicy: (job: AskedJob) => ApprovalDemand | undefined;
  /** What leave a call of a durable job asks for, by its own terms and the policy of this process. @throws AppError `APPROVER_UNKNOWN`. */
  readonly demandOf: (call: AskedCall) => ApprovalDemand;
  /** What an approval is worth by the policy of this process. */
  readonly judge: (approval: Approval, terms: ApprovalTerms) => Promise<Judgement>;
  /** Fires the slots that are due; called when a schedule's time has come. */
  readonly fireSchedules: () => Promise<void>;
  /** A secret of this process's environment; `undefined` when it is not set. */
  readonly secret: (name: string) => string | undefined;
  /** False leaves schedules, retention and the jobs of others alone, and claims only what it is given: for one direct command. */
  readonly claims: boolean;
}

/** A worker that runs in this process. */
export interface BackendWorker extends AsyncDisposable {
  readonly id: string;
  /**
   * Stops claiming, lets attempts finish for `graceMs`, then gives the rest back. Idempotent; a second call with a
   * shorter grace shortens the first.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
  /** Settles when the worker has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
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

import type { Approval, ApprovalDemand, ApprovalTerms } from "../approval/approval.ts";
import type { Judgement } from "../approval/judgement.ts";
import type { Handlers } from "../attempt/handlers.ts";
import type { ErrorRecord } from "../error.ts";
import type { ChildOptions } from "../job/context.ts";
import type { JobType } from "../job/definition.ts";
import type { AfterCrash } from "../job/rules.ts";
import type { ParentRef } from "../job/spec.ts";
import type { Actor } from "../policy/actor.ts";
import type { Acceptance } from "./acceptance.ts";

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
  readonly afterCrash: AfterCrash;
  readonly retryOnExit: boolean;
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

/**
 * Windlass as a library: durable jobs on this machine, or on many, from TypeScript.
 *
 * {@link openWindlass} opens it, {@link defineJob} and {@link defineDurableJob} declare what it runs. The same calls work on every backend.
 *
 * @packageDocumentation
 */

export type { Capabilities } from "./backend/capabilities.ts";
export type { WorkerEvent } from "./backend/serving.ts";
export type { Duration } from "./duration.ts";
export {
  AppError,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  type ErrorRecord,
  type ErrorRule,
  isAppError,
} from "./error.ts";
export type { ChildOptions, JobContext, JobLog, KeptFile, Progress, StopReason } from "./job/context.ts";
export { defineJob, type Handler, type JobDefinition, type JobType } from "./job/definition.ts";
export type { ApproveOptions, DecisionLevel } from "./job/durable/approve-options.ts";
export type { ApprovalAnswer } from "./job/durable/approve-outcome.ts";
export type {
  AllOf,
  DurableChildOptions,
  DurableContext,
  DurableStopReason,
  Recorded,
  SqlArgument,
  StepContext,
  StepOptions,
  TransactionTables,
  WaitForOptions,
} from "./job/durable/context.ts";
export { type DurableJobDefinition, defineDurableJob } from "./job/durable/define-durable-job.ts";
export type { EventMatch, MatchValue } from "./job/durable/match.ts";
export type { Priority, SubmitOptions } from "./job/options.ts";
export type {
  AfterCrash,
  BackoffRule,
  ConcurrencyRule,
  ConcurrencyStrategy,
  CrashRule,
  RateLimitRule,
  TypeRules,
} from "./job/rules.ts";
export { secretText } from "./job/secret.ts";
export { type FinalState, isFinal, JOB_STATES, type JobState, OUTCOMES, type Outcome, STATES } from "./job/state.ts";
export { type AlohaRunInput, type AlohaRunResult, alohaRun } from "./job-type/aloha-run/aloha-run.ts";
export { type ExecInput, type ExecResult, exec } from "./job-type/exec/exec.ts";
export { type HttpRequestInput, type HttpRequestResult, httpRequest } from "./job-type/http-request/http-request.ts";
export {
  type PlaywrightRunInput,
  type PlaywrightRunResult,
  playwrightRun,
} from "./job-type/playwright-run/playwright-run.ts";
export { type WindowsExecInput, type WindowsExecResult, windowsExec } from "./job-type/windows-exec/windows-exec.ts";
export type {
  ApprovalListFilter,
  ApprovalPage,
  ApprovalSaying,
  ApprovalsClient,
  DecidedApproval,
  ListedApproval,
  ShownApproval,
  ShownDecision,
  SignedSaying,
} from "./library/approvals.ts";
export type { Cancelled } from "./library/cancel.ts";
export type { WindlassClient } from "./library/client.ts";
export type { EmitOptions, EmittedEvent } from "./library/emit-event.ts";
export type { EmbeddedClient, Enqueue, RunResult, SqlValue, UserTransaction } from "./library/enqueue-with.ts";
export type { JobStatus } from "./library/job-status.ts";
export type { JobPage, ListedJob, ListFilter } from "./library/list-jobs.ts";
export { type OpenOptions, openWindlass } from "./library/open-windlass.ts";
export type { ConfigInput } from "./library/read-config.ts";
export type { RehearsalAnswers } from "./library/rehearsal/rehearsal-record.ts";
export { type Rehearsal, rehearse } from "./library/rehearsal/rehearse.ts";
export type { InputOf, ResultOf, RunOptions, SubmitRequest, SubmittedJob, WaitOptions } from "./library/requests.ts";
export type { CronTimes, FutureJob, FutureTime, NewSchedule, ScheduledItem } from "./library/schedule.ts";
export type { RunningWorker, StartWorkerOptions } from "./library/start-worker.ts";
export type { Actor, ActorKind, WrittenActor } from "./policy/actor.ts";
export type { CatchUp, Overlap } from "./schedule/decide-slots.ts";

import { z } from "zod";
import type { JobStatus } from "../../backend/reading.ts";
import { type ErrorCode, errorText, exitStatusOf, isErrorCode } from "../../error.ts";
import { JobId } from "../../id.ts";
import { JobState, Outcome } from "../../job/state.ts";
import type { Pairs } from "../../logfmt.ts";
import { formatActor } from "../../policy/actor.ts";
import { ErrorText, TextPairs, Timestamp, timestamp, timestampOrNull } from "../fields.ts";

/** What is known of a job, as every surface shows it. */
export const JobStatusOutput = z.strictObject({
  job_id: JobId,
  type: z.string(),
  state: JobState,
  outcome: Outcome.nullable(),
  run: z.int().describe("How often the job was started over, from 1."),
  attempt: z.int().describe("How often this run was started."),
  failures: z.int(),
  crashes: z.int(),
  trace_id: z.string(),
  priority: z.int(),
  actor: z.string().describe("Who asked, as kind:name."),
  metadata: TextPairs,
  queued_at: Timestamp,
  due_at: Timestamp,
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  cancel_requested: z.boolean(),
  progress: z
    .strictObject({ done: z.number(), total: z.number().optional(), message: z.string().optional() })
    .nullable(),
  result: z.unknown(),
  error: ErrorText.nullable(),
});

/** What is known of a job, as every surface shows it. */
export type JobStatusOutput = z.output<typeof JobStatusOutput>;

/** Turns a status of the backend into what surfaces show. */
export function jobStatusOutput(status: JobStatus): JobStatusOutput {
  return {
    job_id: status.jobId,
    type: status.type,
    state: status.state,
    outcome: status.outcome,
    run: status.runNumber,
    attempt: status.attempt,
    failures: status.failures,
    crashes: status.crashes,
    trace_id: status.traceId,
    priority: status.priority,
    actor: formatActor(status.actor),
    metadata: status.metadata,
    queued_at: timestamp(status.queuedAtMs),
    due_at: timestamp(status.dueAtMs),
    started_at: timestampOrNull(status.startedAtMs),
    ended_at: timestampOrNull(status.endedAtMs),
    cancel_requested: status.cancelRequested,
    progress: status.progress,
    result: status.result,
    error: status.error === null ? null : errorText(status.error),
  };
}

/** The line of a job: what people look for, without what is empty. */
export function jobStatusLine(status: JobStatusOutput): Pairs {
  const { metadata, failures, crashes, progress, result, due_at, state } = status;
  return {
    job_id: status.job_id,
    type: status.type,
    state,
    outcome: status.outcome ?? undefined,
    cancel_requested: status.cancel_requested || undefined,
    run: status.run,
    attempt: status.attempt,
    failures: failures || undefined,
    crashes: crashes || undefined,
    trace_id: status.trace_id,
    actor: status.actor,
    queued_at: status.queued_at,
    due_at: state === "scheduled" ? due_at : undefined,
    started_at: status.started_at ?? undefined,
    ended_at: status.ended_at ?? undefined,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    progress: progress ?? undefined,
    result: result ?? undefined,
    error: status.error ?? undefined,
  };
}

/**
 * What the end of a job means to whoever waited for it: nothing when it completed, else the code of its error.
 *
 * A timeout is 4 and a machine that cannot be reached or used is 3; every other end that is no success is 1, whatever its
 * code means elsewhere.
 */
export function jobVerdict({ state, error }: Pick<JobStatusOutput, "state" | "error">): ErrorCode | undefined {
  if (state === "completed") return undefined;
  const code = error?.slice(0, error.indexOf(":"));
  const known = isErrorCode(code) ? code : undefined;
  if (known !== undefined && (exitStatusOf(known) === 1 || OWN_STATUS.includes(known))) return known;
  if (state === "cancelled") return "CANCELLED";
  return state === "expired" ? "EXPIRED" : "HANDLER_FAILED";
}

const OWN_STATUS: readonly ErrorCode[] = [
  "TIMEOUT",
  "DEADLINE_EXCEEDED",
  "HOST_UNREACHABLE",
  "SSH_AUTH_REFUSED",
  "SSH_HOST_KEY",
  "RUNNER_FAILED",
  "PREREQUISITE_MISSING",
  "PLAYWRIGHT_VERSION_MISMATCH",
  "PLAYWRIGHT_PATH_REJECTED",
];

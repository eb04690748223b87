import { z } from "zod";
import type { Accepted } from "../../backend/acceptance.ts";
import type { Backend } from "../../backend/backend.ts";
import { JobId } from "../../id.ts";
import { JobState } from "../../job/state.ts";
import { ApprovalId } from "../approvals/fields.ts";
import { Timestamp, timestamp } from "../fields.ts";
import { defineOperation } from "../operation.ts";
import { JobRequestInput, toJobRequest } from "./request.ts";

/** What {@link enqueueJob} answers. */
export const EnqueuedJob = z.strictObject({
  job_id: JobId,
  state: JobState,
  trace_id: z.string(),
  queued_at: Timestamp,
  existing: z.boolean().describe("True when the idempotency key named an earlier job, which this is."),
  approval_id: ApprovalId.nullable().describe("What people are asked before it runs; null where nobody is."),
});

/** The codes of everything that submits. */
export const SUBMIT_ERRORS = [
  "UNKNOWN_JOB_TYPE",
  "INVALID_INPUT",
  "INVALID_DURATION",
  "TOO_LARGE",
  "POLICY_DENIED",
  "IDEMPOTENCY_CONFLICT",
  "QUEUE_FULL",
  "LIMIT_REACHED",
  "UNSUPPORTED",
] as const;

/** Stores one job durably. */
export const enqueueJob = defineOperation({
  name: "jobs.enqueue",
  summary: "Store a job for a worker to run.",
  description: "The job is on disk when this returns; the same idempotency key gives the same job back.",
  access: "write",
  input: JobRequestInput,
  output: EnqueuedJob.extend({
    database: z.string().describe("Where it was stored."),
    served: z.boolean().describe("False when no live worker runs this type now."),
  }),
  errors: SUBMIT_ERRORS,
  database: "write",
  loadsTypes: true,
  asksItself: true,
  jobs: (request) => [request],
  lines: ({ job_id, state, trace_id, existing, approval_id }) => [
    { job_id, state, trace_id, existing: existing || undefined, approval_id: approval_id ?? undefined },
  ],
  async run(request, { actor, windlass: { backend, submit, config } }) {
    const [accepted] = (await submit.submit([toJobRequest(request, actor)])) as readonly [Accepted];
    return {
      ...enqueued(accepted),
      database: config.database.path,
      served: await isServed(backend, [request.type]),
    };
  },
});

/** An accepted job as surfaces show it. */
export function enqueued(accepted: Accepted): z.output<typeof EnqueuedJob> {
  const { jobId, state, traceId, queuedAtMs, existing, approvalId = null } = accepted;
  return {
    job_id: jobId,
    state,
    trace_id: traceId,
    queued_at: timestamp(queuedAtMs),
    existing,
    approval_id: approvalId,
  };
}

/** True when a live worker runs each of these types. */
export async function isServed(backend: Pick<Backend, "workers">, types: readonly string[]): Promise<boolean> {
  const live = (await backend.workers()).filter(({ alive }) => alive);
  return types.every((type) => live.some((worker) => worker.types.includes(type)));
}

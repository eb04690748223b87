import { z } from "zod";
import { AppError, isAppError } from "../../error.ts";
import { defineOperation } from "../operation.ts";
import { EnqueuedJob, enqueued, isServed, SUBMIT_ERRORS } from "./enqueue.ts";
import { JobRequestInput, toJobRequest } from "./request.ts";

/** Stores many jobs durably in one go, all or none. */
export const enqueueManyJobs = defineOperation({
  name: "jobs.enqueue-many",
  summary: "Store many jobs in one go, all or none.",
  access: "write",
  input: z.strictObject({ requests: z.array(JobRequestInput).min(1).describe("The jobs, in this order.") }),
  output: z.strictObject({ jobs: z.array(EnqueuedJob), database: z.string(), served: z.boolean() }),
  errors: SUBMIT_ERRORS,
  database: "write",
  loadsTypes: true,
  asksItself: true,
  jobs: ({ requests }) => requests,
  lines: ({ jobs }) =>
    jobs.map(({ job_id, state, trace_id, approval_id }) => ({
      job_id,
      state,
      trace_id,
      approval_id: approval_id ?? undefined,
    })),
  async run({ requests }, { actor, windlass: { backend, submit, config } }) {
    const jobs = requests.map((request) => toJobRequest(request, actor));
    for (const [index, job] of jobs.entries()) {
      try {
        await submit.load(job.type);
        submit.prepare(job);
      } catch (error) {
        throw isAppError(error) ? atRequest(error, index) : error;
      }
    }
    return {
      jobs: (await submit.submit(jobs)).map(enqueued),
      database: config.database.path,
      served: await isServed(backend, [...new Set(jobs.map(({ type }) => type))]),
    };
  },
});

/** Names the request that was refused; its index is for surfaces that count otherwise. */
function atRequest(error: AppError, index: number): AppError {
  return new AppError(error.code, `request ${index + 1}: ${error.message}; nothing was stored`, {
    details: { ...error.details, request: index + 1 },
    cause: error,
  });
}

import { z } from "zod";
import { parseDuration } from "../../duration.ts";
import { JobId } from "../../id.ts";
import { JobState, Outcome } from "../../job/state.ts";
import { TextPairs, Timestamp, timestamp } from "../fields.ts";
import { defineOperation } from "../operation.ts";

/** Lists jobs, newest first. */
export const listJobs = defineOperation({
  name: "jobs.list",
  summary: "List jobs, newest first.",
  access: "read",
  input: z.strictObject({
    state: JobState.optional().describe("Only jobs in this state."),
    type: z.string().optional().describe("Only jobs of this type."),
    metadata: TextPairs.optional().describe("Only jobs with all of these pairs."),
    since: z.string().optional().describe("Only jobs that were queued at most so long ago, such as 1h."),
    limit: z.int().min(1).max(1_000).default(100).describe("How many at most, 1 to 1000."),
    cursor: z.string().optional().describe("Goes on behind an earlier page, as that page printed it."),
  }),
  output: z.strictObject({
    jobs: z.array(
      z.strictObject({
        job_id: JobId,
        state: JobState,
        type: z.string(),
        outcome: Outcome.nullable(),
        queued_at: Timestamp,
      }),
    ),
    cursor: z.string().nullable(),
  }),
  errors: ["INVALID_DURATION", "INVALID_INPUT"],
  database: "read",
  lines: ({ jobs, cursor }) => [
    ...jobs.map(({ outcome, ...job }) => ({ ...job, outcome: outcome ?? undefined })),
    ...(cursor === null ? [] : [{ cursor }]),
  ],
  async run({ since, limit, ...filter }, { windlass: { backend }, clock }) {
    const { state, type, metadata, cursor } = filter;
    const page = await backend.list({
      limit,
      ...(state === undefined ? {} : { state }),
      ...(type === undefined ? {} : { type }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(cursor === undefined ? {} : { cursor }),
      ...(since === undefined ? {} : { sinceMs: clock.now() - parseDuration(since, { what: "since" }) }),
    });
    return {
      jobs: page.jobs.map(({ jobId, queuedAtMs, ...job }) => ({
        job_id: jobId,
        state: job.state,
        type: job.type,
        outcome: job.outcome,
        queued_at: timestamp(queuedAtMs),
      })),
      cursor: page.cursor,
    };
  },
});

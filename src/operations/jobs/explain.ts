import { z } from "zod";
import { JobId } from "../../id.ts";
import { JobState } from "../../job/state.ts";
import { jobNotFound } from "../fields.ts";
import { defineOperation } from "../operation.ts";

/** Says why a job is not running. */
export const explainJob = defineOperation({
  name: "jobs.explain",
  summary: "Say in one sentence why a job is not running.",
  access: "read",
  input: z.strictObject({ id: JobId }),
  output: z.strictObject({
    job_id: JobId,
    state: JobState,
    reason: z
      .string()
      .describe(
        "A word for it, such as no_worker, key, rate, future, retry, verify, sleep, event, child, running, lost, stalled, finished.",
      ),
    sentence: z.string(),
  }),
  errors: ["JOB_NOT_FOUND"],
  database: "read",
  positional: ["id"],
  async run({ id }, { windlass: { backend, config } }) {
    const { state, reason, sentence } = await backend.explain(id);
    if (state === "not_found") throw jobNotFound(id, config.database.path);
    return { job_id: id, state, reason, sentence };
  },
});

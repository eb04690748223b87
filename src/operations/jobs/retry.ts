import { z } from "zod";
import { AppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import { JobState } from "../../job/state.ts";
import { jobNotFound } from "../fields.ts";
import { defineOperation } from "../operation.ts";

/** Starts a finished job over. */
export const retryJob = defineOperation({
  name: "jobs.retry",
  summary: "Start a finished job over, as the next run of the same job.",
  description:
    "Input and rules are the same, counts begin at zero; results and files of earlier runs stay. With --from a durable job takes over what it recorded before that call.",
  access: "write",
  input: z.strictObject({
    id: JobId,
    from: z
      .string()
      .optional()
      .describe(
        "Of a durable job: the position or the name of the call to begin with, as jobs logs shows them; the position behind the last one keeps all that was recorded.",
      ),
  }),
  output: z.strictObject({ job_id: JobId, state: JobState, run: z.int() }),
  errors: ["JOB_NOT_FOUND", "JOB_NOT_FINISHED", "INVALID_INPUT", "POLICY_DENIED"],
  database: "write",
  positional: ["id"],
  async run({ id, from }, { windlass: { backend, config }, actor }) {
    const result = await backend.replay(id, actor, from === undefined ? {} : { from });
    switch (result.kind) {
      case "not_found":
        throw jobNotFound(id, config.database.path);
      case "unfinished":
        throw new AppError(
          "JOB_NOT_FINISHED",
          `job ${id} is ${result.state}; only a finished job can be started over, \`windlass jobs cancel ${id}\` ends it`,
          { details: { job_id: id, state: result.state } },
        );
      case "started":
        return { job_id: id, state: (await backend.status(id))?.state ?? "queued", run: result.runNumber };
    }
  },
});

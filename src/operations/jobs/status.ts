import { z } from "zod";
import { JobId } from "../../id.ts";
import { jobNotFound } from "../fields.ts";
import { defineOperation } from "../operation.ts";
import { JobStatusOutput, jobStatusLine, jobStatusOutput } from "./status-output.ts";

/** Reads one job once. */
export const jobStatus = defineOperation({
  name: "jobs.status",
  summary: "Show where a job stands.",
  access: "read",
  input: z.strictObject({ id: JobId }),
  output: JobStatusOutput,
  errors: ["JOB_NOT_FOUND"],
  database: "read",
  positional: ["id"],
  lines: (output) => [jobStatusLine(output)],
  async run({ id }, { windlass: { backend, config } }) {
    const status = await backend.status(id);
    if (status === undefined) throw jobNotFound(id, config.database.path);
    return jobStatusOutput(status);
  },
});

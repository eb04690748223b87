import { z } from "zod";
import { defineOperation } from "../operation.ts";

const DAY_MS = 86_400_000;

/** Removes kept files of jobs that ended long ago. */
export const removeOldArtifacts = defineOperation({
  name: "artifacts.gc",
  summary: "Remove the kept files of jobs that ended long ago.",
  description: "Files of a job that has not finished are never touched. A worker does the same once an hour.",
  access: "write",
  input: z.strictObject({
    days: z
      .int()
      .min(0)
      .optional()
      .describe("Removes what ended more than so many days ago; default artifacts.retention_days."),
  }),
  output: z.strictObject({ removed: z.int().describe("How many runs lost their files."), days: z.int() }),
  errors: ["POLICY_DENIED"],
  database: "write",
  async run({ days }, { windlass: { backend, config }, clock }) {
    const kept = days ?? config.artifacts.retentionDays;
    return { removed: await backend.artifacts.removeOlder(clock.now() - kept * DAY_MS), days: kept };
  },
});

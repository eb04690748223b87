import { z } from "zod";
import { JobState } from "../../job/state.ts";
import { defineOperation } from "../operation.ts";

/** Counts jobs. */
export const jobStats = defineOperation({
  name: "jobs.stats",
  summary: "Count jobs by type and state.",
  access: "read",
  input: z.strictObject({}),
  output: z.strictObject({
    counts: z.array(z.strictObject({ type: z.string(), state: JobState, count: z.int() })),
    oldest_queued_ms: z.int().nullable().describe("How long the oldest due job has waited."),
  }),
  errors: [],
  database: "read",
  lines: ({ counts, oldest_queued_ms }) => [...counts, ...(oldest_queued_ms === null ? [] : [{ oldest_queued_ms }])],
  async run(_, { windlass: { backend }, clock }) {
    const { counts, oldestQueuedMs } = await backend.stats();
    return {
      counts: [...counts],
      oldest_queued_ms: oldestQueuedMs === null ? null : Math.max(0, clock.now() - oldestQueuedMs),
    };
  },
});

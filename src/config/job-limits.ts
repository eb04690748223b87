import type { JobLimits } from "../job/limits.ts";
import type { Config } from "./config.ts";

/** The limits of jobs that a configuration sets. */
export function jobLimitsOf({ job, history }: Config): JobLimits {
  const { queuedMax, ...limits } = job;
  return { ...limits, ...(queuedMax === undefined ? {} : { queuedMax }), historyRowsMax: history.rowsMax };
}

import { z } from "zod";
import type { Backend } from "../../backend/backend.ts";
import { parseDuration } from "../../duration.ts";
import { type ErrorCode, exitStatusOf, isAppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import { isFinal } from "../../job/state.ts";
import { jobNotFound } from "../fields.ts";
import { defineOperation, type Verdict } from "../operation.ts";
import { JobStatusOutput, jobStatusLine, jobStatusOutput, jobVerdict } from "./status-output.ts";

/** How long somebody waits who says nothing. */
export const WaitField = z
  .string()
  .optional()
  .describe("Gives up after so long, while the job goes on; default the job's timeout, from now on.");

/** Waits for several jobs. */
export const waitForJobs = defineOperation({
  name: "jobs.wait",
  summary: "Wait until jobs have ended.",
  description: "The exit status is that of the worst end; 4 when a job goes on.",
  access: "read",
  input: z.strictObject({
    ids: z.array(JobId).min(1).max(1_000).describe("The jobs' ids."),
    wait: WaitField,
  }),
  output: z.strictObject({ jobs: z.array(JobStatusOutput) }),
  errors: ["JOB_NOT_FOUND", "WAIT_TIMEOUT", "INVALID_DURATION"],
  database: "read",
  positional: ["ids"],
  flags: { ids: ["id"] },
  verdict: ({ jobs }) => worst(jobs),
  lines: ({ jobs }) => jobs.map(jobStatusLine),
  async run({ ids, wait }, { windlass: { backend, config }, signal }) {
    const withinMs = wait === undefined ? undefined : parseDuration(wait, { what: "wait" });
    const known = await Promise.all(ids.map((id) => backend.status(id)));
    const missing = known.indexOf(undefined);
    if (missing !== -1) throw jobNotFound(ids[missing] ?? "", config.database.path);
    const jobs = known.flatMap((status) =>
      status === undefined ? [] : [waitForOne(backend, status.jobId, withinMs ?? status.timeoutMs, signal)],
    );
    return { jobs: await Promise.all(jobs) };
  },
});

/** What a job means to whoever waited for it; it may go on. */
export function waitVerdict(status: Pick<JobStatusOutput, "state" | "error">): ErrorCode | undefined {
  return isFinal(status.state) ? jobVerdict(status) : "WAIT_TIMEOUT";
}

async function waitForOne(
  backend: Backend,
  id: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<JobStatusOutput> {
  try {
    return jobStatusOutput(await backend.settled(id, { withinMs, signal }));
  } catch (error) {
    const status = isAppError(error) && error.code === "WAIT_TIMEOUT" ? await backend.status(id) : undefined;
    if (status === undefined) throw error;
    return jobStatusOutput(status);
  }
}

/** Why the command of whoever waited for a job fails; it may go on. */
export function waitProblem(status: JobStatusOutput): Verdict | undefined {
  const code = waitVerdict(status);
  if (code === undefined) return undefined;
  const { job_id: id, state, error } = status;
  if (code !== "WAIT_TIMEOUT") return { code, message: `job ${id} is ${state}${error === null ? "" : ` (${error})`}` };
  return {
    code,
    message: `job ${id} is ${state} and goes on; \`windlass jobs status ${id} --watch\` follows it further`,
  };
}

function worst(jobs: readonly JobStatusOutput[]): Verdict | undefined {
  const problems = jobs.flatMap((job) => waitProblem(job) ?? []);
  // The first of those with the largest status.
  return problems.toSorted((a, b) => exitStatusOf(b.code) - exitStatusOf(a.code))[0];
}

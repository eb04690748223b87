import { z } from "zod";
import { isAppError } from "../../error.ts";
import { JobId } from "../../id.ts";
import { JobState } from "../../job/state.ts";
import { ErrorText, jobNotFound, verdictOf } from "../fields.ts";
import { type DatabaseContext, defineOperation } from "../operation.ts";

/** How long a cancel waits for a running job to stop. */
const CANCEL_WAIT_MS = 10_000;

const CancelOutput = z.strictObject({
  job_id: JobId,
  state: JobState,
  cancel_requested: z.boolean().describe("True while a running job has not stopped yet."),
  error: ErrorText.nullable(),
});

type CancelOutput = z.output<typeof CancelOutput>;

/** Cancels a job: at once while it waits; while it runs, when its handler has stopped. */
export const cancelJob = defineOperation({
  name: "jobs.cancel",
  summary: "Cancel a job that has not finished.",
  description:
    "A running job is asked to stop and waited for up to 10 s; it is cancelled when its handler has stopped.",
  access: "write",
  input: z.strictObject({ id: JobId }),
  output: CancelOutput,
  errors: ["JOB_NOT_FOUND", "JOB_FINISHED", "WAIT_TIMEOUT", "POLICY_DENIED"],
  database: "write",
  positional: ["id"],
  verdict: ({ error }) => verdictOf(error),
  lines: ({ job_id, state, cancel_requested, error }) => [
    { job_id, state, cancel_requested: cancel_requested || undefined, error: error ?? undefined },
  ],
  async run({ id }, context) {
    const { backend, config } = context.windlass;
    const result = await backend.cancel(id, context.actor);
    switch (result.kind) {
      case "not_found":
        throw jobNotFound(id, config.database.path);
      case "cancelled":
        return ended(id, "cancelled");
      case "finished":
        return finished(id, result.state);
      case "requested":
        return waitForStop(id, context);
    }
  },
});

async function waitForStop(id: string, { windlass: { backend }, signal }: DatabaseContext): Promise<CancelOutput> {
  try {
    const { state } = await backend.settled(id, { withinMs: CANCEL_WAIT_MS, signal });
    // The job's own end may have been recorded first.
    return state === "cancelled" ? ended(id, state) : finished(id, state);
  } catch (error) {
    if (!(isAppError(error) && error.code === "WAIT_TIMEOUT")) throw error;
    const status = await backend.status(id);
    return {
      job_id: id,
      state: status?.state ?? "running",
      cancel_requested: true,
      error: "WAIT_TIMEOUT: it has not stopped yet; it is cancelled as soon as it does",
    };
  }
}

function ended(id: string, state: CancelOutput["state"]): CancelOutput {
  return { job_id: id, state, cancel_requested: false, error: null };
}

function finished(id: string, state: CancelOutput["state"]): CancelOutput {
  return { ...ended(id, state), error: `JOB_FINISHED: job ${id} was ${state} already; there is nothing to cancel` };
}

import type { JobStatus as StoredStatus } from "../backend/reading.ts";
import { parseDuration } from "../duration.ts";
import { AppError, isAppError, isErrorCode } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import { isFinal } from "../job/state.ts";
import { type ClientParts, nameOfType } from "./parts.ts";
import type { RunOptions, WaitOptions } from "./requests.ts";
import { checkSubmitOptions, submitJobs } from "./submit-jobs.ts";

/** Submits a job, waits for its end and returns its result. */
export async function runAndWait(
  parts: ClientParts,
  type: JobType | string,
  input: unknown,
  options: RunOptions,
): Promise<unknown> {
  const name = nameOfType(parts, type);
  checkSubmitOptions(`runAndWait of ${name}`, options, ["wait", "signal"]);
  const { wait, signal, ...submitOptions } = options;
  const waiting = readWait({ ...(wait === undefined ? {} : { wait }), ...(signal === undefined ? {} : { signal }) });
  const [job] = await submitJobs(parts, [{ type, input, options: submitOptions }]);
  if (job === undefined) throw new AppError("INTERNAL", `${name}: the backend accepted nothing`);
  const status = await settled(parts, job.jobId, waiting);
  return readResult(status, parts.windlass.types.get(name));
}

/** Waits for a job's end. */
export async function waitForJob(parts: ClientParts, jobId: string, options: WaitOptions): Promise<StoredStatus> {
  return settled(parts, jobId, readWait(options));
}

interface Waiting {
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

/** Before anything is stored, so that a wrong wait leaves no job behind. */
function readWait({ wait, signal }: WaitOptions): Waiting {
  return {
    ...(wait === undefined ? {} : { withinMs: parseDuration(wait, { what: "wait" }) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function settled(
  { windlass, closing }: ClientParts,
  jobId: string,
  { withinMs, signal }: Waiting,
): Promise<StoredStatus> {
  const { backend } = windlass;
  const limitMs = withinMs ?? (await ownLimitMs(windlass, jobId));
  try {
    return await backend.settled(jobId, {
      ...(limitMs === undefined ? {} : { withinMs: limitMs }),
      signal: signal === undefined ? closing : AbortSignal.any([closing, signal]),
    });
  } catch (error) {
    if (!isAppError(error) || error.code !== "WAIT_TIMEOUT") throw error;
    // A wait that ends mostly ends because nobody runs the job; say what stands in its way.
    const { sentence } = await backend.explain(jobId);
    throw new AppError("WAIT_TIMEOUT", `${error.message}. ${sentence}`, { details: { job_id: jobId }, cause: error });
  }
}

/** A worker's death is noticed, a handler is ended and a timeout recorded well within this. */
const SLACK_MS = 30_000;

/**
 * As long as the job may wait for its time and one attempt may then take; so its own timeout is seen, not this one. A durable
 * job may wait for days: then there is no limit.
 */
async function ownLimitMs(
  { backend, clock, types }: ClientParts["windlass"],
  jobId: string,
): Promise<number | undefined> {
  const status = await backend.status(jobId);
  if (status === undefined) throw new AppError("JOB_NOT_FOUND", `there is no job ${JSON.stringify(jobId)}`);
  if (status.state === "waiting" || types.get(status.type)?.kind === "durable") return undefined;
  return Math.max(0, status.dueAtMs - clock.now()) + status.timeoutMs + SLACK_MS;
}

/** The result of a job that completed; the error of one that did not. */
function readResult(status: StoredStatus, type: JobType | undefined): unknown {
  if (status.state !== "completed") throw jobError(status);
  if (type === undefined) return status.result;
  const parsed = type.result.safeParse(status.result);
  if (parsed.success) return parsed.data;
  throw new AppError(
    "INVALID_RESULT",
    `the result of job ${status.jobId} is not what ${type.name} declares here: ${parsed.error.issues.map(({ path, message }) => `${["result", ...path.map(String)].join(".")}: ${message}`).join("; ")}`,
    { details: { job_id: status.jobId } },
  );
}

/** A job's own error as if its handler had thrown it here. */
function jobError({ jobId, type, state, error }: StoredStatus): AppError {
  if (error === null)
    return new AppError(
      state === "cancelled" ? "CANCELLED" : state === "expired" ? "EXPIRED" : "INTERNAL",
      `job ${jobId} of ${type} ${isFinal(state) ? `ended as ${state}` : `is ${state}`}`,
      { details: { job_id: jobId } },
    );
  const { code, message, details } = error;
  // A newer worker may have codes that this version does not know.
  return isErrorCode(code)
    ? new AppError(code, message, { details: { ...details, job_id: jobId } })
    : new AppError("INTERNAL", `${code}: ${message}`, { details: { ...details, job_id: jobId } });
}

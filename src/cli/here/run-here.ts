import type { JobStatus } from "../../backend/reading.ts";
import type { WorkerEvent } from "../../backend/serving.ts";
import type { JobRequest } from "../../backend/submit.ts";
import { AppError, errorText } from "../../error.ts";
import { enqueueJob } from "../../operations/jobs/enqueue.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call } from "../command.ts";
import { followOutput } from "../follow-output.ts";
import { leaveAtOnce, onStopSignals } from "../stop-signals.ts";
import { tellApproval } from "../tell-approval.ts";
import { type LiveProgress, liveProgress } from "./live-progress.ts";
import { outputOf, type Presentation } from "./presentation.ts";

/** Jobs to be run in this process. */
export interface HereRequest {
  readonly requests: readonly JobRequest[];
  readonly presentation: Presentation;
  /** What the logs call it, such as `windows.exec`. */
  readonly op: string;
}

/**
 * Stores jobs, executes them in this process, all at once, and follows them to their ends. A stop signal cancels them, a
 * second one leaves at once.
 *
 * @returns where they stand, in the order of the requests.
 */
export async function runHere(call: Call, { requests, presentation, op }: HereRequest): Promise<readonly JobStatus[]> {
  const { session, log, terminal } = call;
  const jobs = requests.map(({ type, input, options: { requires } }) => ({ type, input, requires }));
  await session.askAhead(enqueueJob.name, jobs, "migrate");
  const windlass = await session.open("migrate", true);
  for (const request of requests) await checkLabels(windlass, request, op);
  using live = liveProgress(call, { isWanted: presentation.isWatched && requests.length === 1 });
  const worker = await windlass.serve({
    concurrency: requests.length,
    labels: windlass.config.worker.labels,
    onStuck: "kill",
    claims: false,
    onEvent: (event) => logEvent(call, { live, op }, event),
  });
  const accepted = await windlass.submit.submit(requests, { startOn: worker });
  if (!terminal.logsToPerson) {
    for (const { jobId, traceId } of accepted) log.info(op, "job stored", { job_id: jobId, trace_id: traceId });
  }
  for (const { jobId, approvalId } of accepted)
    if (approvalId !== undefined) tellApproval(log, op, { jobId, approvalId });
  const jobIds = accepted.map(({ jobId }) => jobId);
  const cancel = (): void => cancelAll(call, windlass, { live, op, jobIds });
  using _ = onStopSignals({ first: cancel, further: leaveAtOnce });
  terminal.closed.addEventListener("abort", cancel, { once: true });
  const statuses = await Promise.all(
    jobIds.map((jobId) =>
      followOutput({
        backend: windlass.backend,
        jobId,
        environment: process.env,
        artifactRoot: windlass.config.artifacts.outDir,
        signal: session.context().signal,
        onChange: (now) => live.show(now),
        write: outputOf(call, presentation, () => live.wipe()),
      }),
    ),
  );
  terminal.closed.removeEventListener("abort", cancel);
  return statuses;
}

interface Following {
  readonly live: LiveProgress;
  readonly op: string;
}

function cancelAll(
  { log, session }: Call,
  { backend }: Windlass,
  { live, op, jobIds }: Following & { readonly jobIds: readonly string[] },
): void {
  live.wipe();
  for (const jobId of jobIds) {
    log.warn(op, "cancelling the job; once more leaves at once", { job_id: jobId });
    backend.cancel(jobId, session.actor).catch((error: unknown) => log.error(op, "cancel failed", { err: error }));
  }
}

/** @throws AppError `INVALID_INPUT`: what this process does not offer it must not run. */
async function checkLabels({ submit, config }: Windlass, request: JobRequest, op: string): Promise<void> {
  await submit.load(request.type);
  const { requires } = submit.prepare(request).spec;
  const missing = Object.entries(requires).filter(([key, value]) => config.worker.labels[key] !== value);
  if (missing.length === 0) return;
  const labels = missing.map(([key, value]) => `${key}=${value}`);
  throw new AppError(
    "INVALID_INPUT",
    `${op}: the job requires ${labels.join(", ")}, which this process does not offer; add ${labels.map((label) => `--label ${label}`).join(" ")}, or enqueue it for a worker that does`,
  );
}

/** Attempts that fail and are tried again, or that cannot begin here, would be invisible else. */
function logEvent({ log }: Pick<Call, "log">, { live, op }: Following, event: WorkerEvent): void {
  live.wipe();
  if (event.kind === "problem") log.warn(op, "the worker has a problem", { err: errorText(event.error) });
  if ((event.kind !== "failed" && event.kind !== "released") || event.final || event.error === undefined) return;
  const { kind, jobId, traceId, attempt, retriesLeft, final, durationMs, error } = event;
  log.warn(op, kind === "failed" ? "attempt failed, another follows" : "the job cannot go on yet", {
    job_id: jobId,
    trace_id: traceId,
    attempt,
    retries_left: retriesLeft,
    final,
    duration_ms: durationMs,
    err: errorText(error),
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { attemptPath, keptPath } from "../../../artifact/attempt-folder.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { ErrorRecord } from "../../../error.ts";
import type { Progress } from "../../../job/context.ts";
import type { Outcome } from "../../../job/state.ts";
import type { JobStatus, JobSummary } from "../../reading.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { effectiveRules, type JobEnv, type ValueReference } from "../rows/env.ts";
import type { Interned } from "../rows/intern.ts";
import { acceptedAtMs, type JobNumber, type JobNumbers } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import { type Standing, standingOf, stateOfStanding } from "../rows/standing.ts";
import { traceOf } from "../rows/trace-of.ts";

/** What reading needs. */
export interface ReadParts {
  readonly db: Connection;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
}

/** Everything that is known of a job now. */
export function readStatus({ db, numbers, interned }: ReadParts, number: JobNumber): JobStatus | undefined {
  const job = readJob(db, number);
  const standing = job === undefined ? undefined : standingOf(db, job);
  if (job === undefined || standing === undefined) return undefined;
  const jobId = numbers.idOf(number);
  const { env } = job;
  const done = standing.kind === "done" ? standing : undefined;
  return {
    jobId,
    type: interned.queue(db, job.queue).type,
    ...summaryOf(job, standing),
    runNumber: standing.run,
    failures: standing.failures,
    crashes: standing.crashes,
    traceId: env.trace ?? traceOf(jobId),
    priority: env.priority ?? 2,
    actor: interned.actor(db, job.actor),
    parentId: env.parent === undefined ? null : numbers.idOf(env.parent),
    metadata: env.metadata ?? {},
    cancelRequested: done === undefined && isCancelRequested(db, { job: number, run: standing.run }),
    progress: readProgress(db, number, standing.run),
    result: done?.result == null ? null : readResult(db, jobId, number, done.run, done.result),
    error: done?.error == null ? null : readJson<ErrorRecord>(done.error, `job ${jobId}`),
    input: readInput(env),
    timeoutMs: effectiveRules(interned.rules(db, job.rules), env).timeoutMs,
    secrets: env.secrets ?? [],
    folder: runningFolder(db, jobId, job, standing),
  };
}

/** What a line of a list says too. */
export function summaryOf(job: JobRow, standing: Standing): Omit<JobSummary, "jobId" | "type"> {
  const done = standing.kind === "done" ? standing : undefined;
  return {
    state: stateOfStanding(standing),
    outcome: (done?.outcome ?? null) as Outcome | null,
    attempt: standing.attempt,
    queuedAtMs: acceptedAtMs(job.id),
    dueAtMs: standing.kind === "delayed" ? standing.due : job.due,
    startedAtMs: done?.claimed ?? (standing.kind === "leased" ? standing.at : null),
    endedAtMs: done?.finished ?? null,
  };
}

/** The input of a job, wherever it stands. */
export function readInput(env: JobEnv): unknown {
  return env.input_at === undefined
    ? env.input
    : readJson<unknown>(readValue(env.input_at), `value ${env.input_at.name}`);
}

function readValue({ root, name }: ValueReference): string {
  return readFileSync(join(root, name), "utf8");
}

function readProgress(db: Connection, number: JobNumber, run: number): Progress | null {
  const row = db.get<{ data: string }>("SELECT data FROM progress WHERE job = ? AND run = ?", number, run);
  return row === undefined ? null : readJson<Progress>(row.data, `progress of job ${number}`);
}

/** A result that was too large for the database is a kept file; it may still lie where its attempt wrote it. */
function readResult(db: Connection, jobId: string, number: JobNumber, run: number, text: string): unknown {
  const value = readJson<unknown>(text, `result of job ${jobId}`);
  if (!isArtifactReference(value)) return value;
  const row = db.get<{ root: string; folder: string; moved: number }>(
    "SELECT root, folder, moved FROM manifest WHERE job = ? AND run = ?",
    number,
    run,
  );
  if (row === undefined) return value;
  for (const folder of [keptPath(jobId, run), row.folder]) {
    try {
      return readJson<unknown>(readFileSync(join(row.root, folder, value.$artifact), "utf8"), `result of job ${jobId}`);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return value;
}

function isArtifactReference(value: unknown): value is { $artifact: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "$artifact" in value &&
    typeof value.$artifact === "string" &&
    "sha256" in value
  );
}

/** Where the attempt that runs or waits now writes: its own folder, or the one that it took over. */
function runningFolder(db: Connection, jobId: string, job: JobRow, standing: Standing): string | null {
  if (standing.kind !== "leased" && standing.kind !== "waiting") return null;
  const root = db.get<{ artifact_root: string }>(
    "SELECT artifact_root FROM worker WHERE id = ?",
    standing.worker,
  )?.artifact_root;
  if (root === undefined) return null;
  const taken = db.get<{ folder: string }>(
    "SELECT folder FROM effect WHERE job = ? AND run = ?",
    job.id,
    standing.run,
  )?.folder;
  // All attempts of a durable run share one.
  const attempt = job.env.since === undefined ? standing.attempt : 1;
  return join(root, taken ?? attemptPath(jobId, standing.run, attempt));
}

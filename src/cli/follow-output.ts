import { existsSync } from "node:fs";
import { join } from "node:path";
import { attemptPath, keptPath } from "../artifact/attempt-folder.ts";
import type { Backend } from "../backend/backend.ts";
import type { JobStatus } from "../backend/reading.ts";
import { guardOutput } from "../operations/jobs/guard-output.ts";
import { outputFiles } from "../operations/jobs/output-files.ts";
import { OutputFollower, type WriteBytes } from "./output-follower.ts";

/** A job whose output is passed on while it runs. */
export interface FollowRequest {
  readonly backend: Pick<Backend, "settled" | "artifacts">;
  readonly jobId: string;
  readonly write: WriteBytes;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where attempts of this process write; finds the output of one that began and ended between two looks. */
  readonly artifactRoot?: string;
  readonly signal: AbortSignal;
  /** Called with every change, the first status included. */
  readonly onChange?: (status: JobStatus) => void | Promise<void>;
  /** Called when the output is shown only at the end. */
  readonly onHidden?: (missing: readonly string[]) => void;
}

/**
 * Follows a job to its end and passes on what all of its attempts print, from now on and what the present one printed
 * already.
 *
 * @returns its status at the end.
 */
export async function followOutput(request: FollowRequest): Promise<JobStatus> {
  const { backend, jobId, signal } = request;
  let status = await backend.settled(jobId, { until: () => true, signal });
  await using view = openView(status, request);
  let seen = 0;
  for (;;) {
    await request.onChange?.(status);
    seen = await showRunning(view, status, { seen, artifactRoot: request.artifactRoot });
    if (status.endedAtMs !== null) {
      await showEnded(view.follower, status, { backend, seen });
      return status;
    }
    const before = fingerprint(status);
    status = await backend.settled(jobId, { until: (now) => fingerprint(now) !== before, signal });
  }
}

/** Passes on what the newest attempt of a job has printed by now. */
export async function readOutput(request: FollowRequest): Promise<JobStatus> {
  const { backend, jobId, signal } = request;
  const status = await backend.settled(jobId, { until: () => true, signal });
  await using view = openView(status, request);
  if (status.endedAtMs !== null) await showEnded(view.follower, status, { backend, seen: 0 });
  else {
    await showRunning(view, status, { seen: status.attempt, artifactRoot: undefined });
    await view.follower.finish([]);
  }
  return status;
}

interface View extends AsyncDisposable {
  readonly follower: OutputFollower;
  /** True where raw output must not be shown. */
  readonly isHidden: boolean;
}

function openView(status: JobStatus, { environment, write, onHidden }: FollowRequest): View {
  const guard = guardOutput(status.secrets, environment);
  if (guard.kind === "hidden" && status.endedAtMs === null) onHidden?.(guard.missing);
  const redactor = guard.kind === "masked" ? guard.redactor : undefined;
  const follower = new OutputFollower({ files: outputFiles(status.type), write, redactor });
  return {
    follower,
    isHidden: guard.kind === "hidden",
    [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose](),
  };
}

/** @returns the newest attempt whose output is shown. */
async function showRunning(
  { follower, isHidden }: View,
  status: JobStatus,
  { seen, artifactRoot }: { readonly seen: number; readonly artifactRoot: string | undefined },
): Promise<number> {
  if (isHidden) return seen;
  for (const folder of attemptFolders(status, seen, artifactRoot)) await follower.attach(folder);
  return status.folder === null ? seen : status.attempt;
}

function fingerprint({ state, runNumber, attempt, folder, cancelRequested, progress }: JobStatus): string {
  return JSON.stringify([state, runNumber, attempt, folder, cancelRequested, progress]);
}

/** Where the attempts after `seen` write or wrote, oldest first; what ended for good is found by its manifest. */
function attemptFolders(
  { folder, jobId, runNumber, attempt, endedAtMs }: JobStatus,
  seen: number,
  artifactRoot: string | undefined,
): readonly string[] {
  const last = endedAtMs === null && folder === null ? attempt : attempt - 1;
  const missed =
    artifactRoot === undefined ? [] : Array.from({ length: Math.max(0, last - seen) }, (_, i) => seen + 1 + i);
  const folders = missed.map((number) => join(artifactRoot ?? "", attemptPath(jobId, runNumber, number)));
  return [
    // An attempt that took over the files of another, or kept none, has no folder.
    ...folders.filter((path) => existsSync(path)),
    ...(folder === null ? [] : [folder]),
  ];
}

/**
 * The kept files are masked already, and they are all that is left of an attempt that was never seen running. One that took
 * over the files of an attempt that was seen adds nothing to them: those files are then the kept ones.
 */
async function showEnded(
  follower: OutputFollower,
  { jobId, runNumber, attempt }: JobStatus,
  { backend, seen }: { readonly backend: FollowRequest["backend"]; readonly seen: number },
): Promise<void> {
  const manifest = await backend.artifacts.manifest(jobId, runNumber);
  const folders = manifest === undefined ? [] : [manifest.folder, keptPath(jobId, runNumber)];
  const kept = folders.map((folder) => join(manifest?.root ?? "", folder));
  const [first] = kept;
  if (first !== undefined && seen < attempt && !follower.hasMoved) await follower.attach(first);
  await follower.finish(kept);
}

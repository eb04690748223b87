import { readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { foldTail, hasTail } from "../durable/record-tail.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf } from "../rows/standing.ts";

/** Jobs that one transaction looks at. */
const CHUNK = 500;

/** How long finished jobs are kept. */
export interface RetentionRule {
  /** Finished before this time may go. */
  readonly beforeMs: number;
  /** Beyond this many finished jobs the oldest may go. */
  readonly jobsMax: number;
}

/** Where the next step goes on. */
export interface RetentionCursor {
  readonly after: JobNumber;
  /** Finished jobs beyond the number that may stay. */
  readonly excess: number;
}

/** What one step did. `cursor` continues it; absent: it has seen everything. */
export interface RetentionStep {
  readonly removed: readonly JobNumber[];
  readonly cursor?: RetentionCursor;
}

/**
 * Removes a chunk of old finished jobs, oldest first. A job stays while a key, an unfinished relative or a kept file still
 * needs it, and the newest job stays always, because numbers are taken from it.
 */
export function removeOld(tx: Transaction<Notice>, rule: RetentionRule, from?: RetentionCursor): RetentionStep {
  // What is removed must not come back from there.
  if (hasTail(tx.db)) foldTail(tx);
  const rows = tx.db.all<{ job: number; finished: number }>(
    "SELECT job, max(finished) AS finished FROM done WHERE job > ? GROUP BY job ORDER BY job LIMIT ?",
    from?.after ?? 0,
    CHUNK,
  );
  const excess = from?.excess ?? countFinished(tx) - rule.jobsMax;
  const newest = tx.db.get<{ id: number }>("SELECT max(id) AS id FROM job")?.id;
  const removed: JobNumber[] = [];
  for (const row of rows) {
    const old = row.finished < rule.beforeMs || removed.length < excess;
    if (!old || row.job === newest || isNeeded(tx, row.job)) continue;
    removeJob(tx, row.job);
    removed.push(row.job);
  }
  const last = rows.at(-1);
  if (rows.length < CHUNK || last === undefined) return { removed };
  return { removed, cursor: { after: last.job, excess: excess - removed.length } };
}

/** Jobs, not runs: every finished job has a first run, and one that was started over is unfinished until that run ends. */
function countFinished(tx: Transaction<Notice>): number {
  return (
    tx.db.get<{ n: number }>(
      `SELECT (SELECT count(*) FROM done WHERE run = 1) - (SELECT count(*) FROM history h WHERE event = 'run.started'
         AND NOT EXISTS (SELECT 1 FROM done d WHERE d.job = h.job AND d.run = h.run)) AS n`,
    )?.n ?? 0
  );
}

function isNeeded(tx: Transaction<Notice>, number: JobNumber): boolean {
  const job = readJob(tx.db, number);
  if (job === undefined) return false;
  if (standingOf(tx.db, job)?.kind !== "done") return true;
  if (tx.db.get("SELECT 1 FROM manifest WHERE job = ?", number) !== undefined) return true;
  const key = job.env.idempotency_key;
  if (key !== undefined) {
    const type = tx.db.get<{ type: string }>("SELECT type FROM queue WHERE id = ?", job.queue)?.type ?? "";
    if (
      tx.db.get(
        "SELECT 1 FROM idempotency WHERE type = ? AND key = ? AND job = ? AND expires > ?",
        type,
        key,
        number,
        tx.nowMs,
      ) !== undefined
    )
      return true;
  }
  const children = tx.db.all<{ job: number }>("SELECT job FROM child WHERE parent = ?", number);
  return [...children.map(({ job: child }) => child), ...(job.env.parent === undefined ? [] : [job.env.parent])].some(
    (relative) => isUnfinished(tx, relative),
  );
}

function isUnfinished(tx: Transaction<Notice>, number: JobNumber): boolean {
  const job = readJob(tx.db, number);
  return job !== undefined && standingOf(tx.db, job)?.kind !== "done";
}

function removeJob(tx: Transaction<Notice>, job: JobNumber): void {
  const { metadata, deadline, expires } = tx.db.get<{
    metadata: string | null;
    deadline: number | null;
    expires: number | null;
  }>(
    "SELECT json_extract(env, '$.metadata') AS metadata, json_extract(env, '$.deadline') AS deadline, json_extract(env, '$.expires') AS expires FROM job WHERE id = ?",
    job,
  ) ?? { metadata: null, deadline: null, expires: null };
  for (const at of [deadline, expires])
    if (at !== null) tx.db.run("DELETE FROM expiry WHERE at = ? AND job = ?", at, job);
  if (metadata != null) {
    for (const [key, value] of Object.entries(readJson<Record<string, string>>(metadata, `job ${job}`)))
      tx.db.run("DELETE FROM metadata WHERE key = ? AND value = ? AND job = ?", key, value, job);
  }
  for (const table of ["done", "history", "effect", "cancel_request", "progress", "record", "consumed"])
    tx.db.run(`DELETE FROM ${table} WHERE job = ?`, job);
  tx.db.run("DELETE FROM decision WHERE approval IN (SELECT id FROM approval WHERE job = ?)", job);
  tx.db.run("DELETE FROM approval WHERE job = ?", job);
  tx.db.run("DELETE FROM child WHERE parent = ?", job);
  tx.db.run("DELETE FROM job WHERE id = ?", job);
}

import type { Transaction } from "../../../database/writer.ts";
import { endTooLate } from "../ending/end-too-late.ts";
import { removeStanding } from "../queue/remove-standing.ts";
import { hasEffect } from "../rows/effect-row.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf, stateOfStanding } from "../rows/standing.ts";

/** Ends the jobs that came too late to start or to finish. `overdue`: those that run beyond their deadline. */
export function expireDue(tx: Transaction<Notice>, limit: number): { more: boolean; overdue: readonly number[] } {
  const overdue: number[] = [];
  const rows = tx.db.all<{ at: number; job: number; run: number; kind: "expires" | "deadline" }>(
    "SELECT at, job, run, kind FROM expiry WHERE at <= ? ORDER BY at LIMIT ?",
    tx.nowMs,
    limit,
  );
  for (const row of rows) {
    tx.db.run("DELETE FROM expiry WHERE at = ? AND job = ? AND kind = ?", row.at, row.job, row.kind);
    const job = readJob(tx.db, row.job);
    if (job !== undefined && expireOne(tx, job, row)) overdue.push(row.job);
  }
  return { more: rows.length === limit, overdue };
}

/** True for a job that runs beyond its deadline. */
function expireOne(
  tx: Transaction<Notice>,
  job: JobRow,
  { run, kind, at }: { run: number; kind: "expires" | "deadline"; at: number },
): boolean {
  const standing = standingOf(tx.db, job);
  if (standing === undefined || standing.kind === "done" || standing.run !== run) return false;
  if (standing.kind === "leased") return kind === "deadline";
  // An attempt has started, so it is no longer unstarted.
  if (kind === "expires" && standing.attempt > 0) return false;
  // Whoever adopts it ends it: a job must not be over while its program runs.
  if (hasEffect(tx.db, { job: job.id, run })) return false;
  removeStanding(tx, job, standing);
  const entry = { job: job.id, run, attempt: standing.attempt, failures: standing.failures, crashes: standing.crashes };
  return endTooLate(tx, job, { entry, kind, at, from: stateOfStanding(standing) });
}

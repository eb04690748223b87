import type { Transaction } from "../../../database/writer.ts";
import { hasEffect } from "../attempts/record-effect.ts";
import { endTooLate } from "../ending/end-too-late.ts";
import { finish } from "../ending/finish.ts";
import { admit, insertReady } from "../queue/admission.ts";
import { removeStanding } from "../queue/remove-standing.ts";
import { ENTRY_COLUMNS, type Entry } from "../rows/entry.ts";
import { type DelayReason, type JobRow, readJob, standingOf } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { stateOfStanding } from "../rows/state-of.ts";
import { expireApprovals } from "./expire-approvals.ts";
import { NEXT_WAIT, settleDue } from "./settle-due.ts";

/** Rows that one transaction moves at most, so that nobody waits long behind it. */
const CHUNK = 1_000;

/** What became due. */
export interface DueWork {
  /** More is due than one transaction moved. */
  readonly more: boolean;
  /** The next time at which something becomes due, in Unix milliseconds. */
  readonly nextMs: number | undefined;
  /** Running jobs whose deadline has passed; their attempts are stopped by whoever runs them. */
  readonly overdue: readonly number[];
}

/** Lets in the delayed jobs whose time has come and ends those that came too late to start or to finish. */
export function promoteDue(tx: Transaction<Notice>): DueWork {
  const rows = tx.db.all<Entry & { due: number; reason: DelayReason }>(
    `SELECT due, reason, ${ENTRY_COLUMNS} FROM delayed WHERE due <= ? ORDER BY due, job LIMIT ?`,
    tx.nowMs,
    CHUNK,
  );
  for (const row of rows) {
    tx.db.run("DELETE FROM delayed WHERE due = ? AND job = ?", row.due, row.job);
    const job = readJob(tx.db, row.job);
    if (job === undefined) continue;
    // What a rate limit or another machine held back kept its keys.
    if (row.reason === "rate" || row.reason === "adopt") insertReady(tx, job, row);
    else if (admit(tx, job, row, row.reason === "due") === "refused") {
      finish(tx, job, "scheduled", {
        entry: row,
        state: "cancelled",
        error: { code: "CANCELLED", message: "another job holds its key and the rule is to cancel the newest" },
      });
    }
  }
  if (rows.length > 0) tx.notify({ kind: "moved", jobs: rows.map(({ job }) => job) });
  const expired = expireDue(tx);
  const moreWaits = settleDue(tx, CHUNK);
  const moreApprovals = expireApprovals(tx, CHUNK);
  const next = tx.db.get<{ at: number | null }>(
    `SELECT min(at) AS at FROM (SELECT min(due) AS at FROM delayed UNION ALL SELECT min(at) FROM expiry UNION ALL ${NEXT_WAIT})`,
  )?.at;
  return {
    more: rows.length === CHUNK || expired.more || moreWaits || moreApprovals,
    nextMs: next ?? undefined,
    overdue: expired.overdue,
  };
}

function expireDue(tx: Transaction<Notice>): { more: boolean; overdue: readonly number[] } {
  const overdue: number[] = [];
  const rows = tx.db.all<{ at: number; job: number; run: number; kind: "expires" | "deadline" }>(
    "SELECT at, job, run, kind FROM expiry WHERE at <= ? ORDER BY at LIMIT ?",
    tx.nowMs,
    CHUNK,
  );
  for (const row of rows) {
    tx.db.run("DELETE FROM expiry WHERE at = ? AND job = ? AND kind = ?", row.at, row.job, row.kind);
    const job = readJob(tx.db, row.job);
    if (job !== undefined && expireOne(tx, job, row)) overdue.push(row.job);
  }
  return { more: rows.length === CHUNK, overdue };
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
  if (hasEffect(tx.db, job.id, run)) return false;
  removeStanding(tx, job, standing);
  const entry = { job: job.id, run, attempt: standing.attempt, failures: standing.failures, crashes: standing.crashes };
  return endTooLate(tx, job, { entry, kind, at, from: stateOfStanding(standing) });
}

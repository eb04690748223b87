import type { Transaction } from "../../../database/writer.ts";
import { finish } from "../ending/finish.ts";
import { admit, insertReady } from "../queue/admission.ts";
import { ENTRY_COLUMNS, type Entry } from "../rows/entry.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { type DelayReason, isHeldBack } from "../rows/standing.ts";
import { expireApprovals } from "./expire-approvals.ts";
import { expireDue } from "./expire-due.ts";
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

/** Does what the time has come for: lets in delayed jobs, ends what came too late, and ends the waits that are over. */
export function promoteDue(tx: Transaction<Notice>): DueWork {
  const moreDelayed = promoteDelayed(tx, CHUNK);
  const expired = expireDue(tx, CHUNK);
  const moreWaits = settleDue(tx, CHUNK);
  const moreApprovals = expireApprovals(tx, CHUNK);
  const next = tx.db.get<{ at: number | null }>(
    `SELECT min(at) AS at FROM (SELECT min(due) AS at FROM delayed UNION ALL SELECT min(at) FROM expiry UNION ALL ${NEXT_WAIT})`,
  )?.at;
  return {
    more: moreDelayed || expired.more || moreWaits || moreApprovals,
    nextMs: next ?? undefined,
    overdue: expired.overdue,
  };
}

/** Lets in the delayed jobs whose time has come; returns true when there may be more. */
function promoteDelayed(tx: Transaction<Notice>, limit: number): boolean {
  const rows = tx.db.all<Entry & { due: number; reason: DelayReason }>(
    `SELECT due, reason, ${ENTRY_COLUMNS} FROM delayed WHERE due <= ? ORDER BY due, job LIMIT ?`,
    tx.nowMs,
    limit,
  );
  for (const row of rows) {
    tx.db.run("DELETE FROM delayed WHERE due = ? AND job = ?", row.due, row.job);
    const job = readJob(tx.db, row.job);
    if (job === undefined) continue;
    // What was held back after it was let in kept its keys.
    if (isHeldBack(row.reason)) insertReady(tx, job, row);
    else if (admit(tx, job, row, row.reason === "due") === "refused") {
      finish(tx, job, "scheduled", {
        entry: row,
        state: "cancelled",
        error: { code: "CANCELLED", message: "another job holds its key and the rule is to cancel the newest" },
      });
    }
  }
  if (rows.length > 0) tx.notify({ kind: "moved", jobs: rows.map(({ job }) => job) });
  return rows.length === limit;
}

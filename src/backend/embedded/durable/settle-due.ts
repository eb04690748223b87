import type { Transaction } from "../../../database/writer.ts";
import { NOTHING, TIMED_OUT } from "../../../job/durable/outcome.ts";
import { ENTRY_COLUMNS, type Entry } from "../entry.ts";
import type { Notice } from "../notice.ts";
import { release, settleCall } from "./wake.ts";

/** When the next wait is over, and when the next worker is no longer preferred. */
export const NEXT_WAIT = `SELECT min(due) AS at FROM wait WHERE due IS NOT NULL
  UNION ALL SELECT min(woken) FROM waiting WHERE woken IS NOT NULL`;

/** Ends the sleeps and the timeouts whose time has come; returns true when there may be more. */
export function settleDue(tx: Transaction<Notice>, limit: number): boolean {
  const due = tx.db.all<{ job: number; run: number; position: number; event: string | null }>(
    "SELECT job, run, position, event FROM wait WHERE due <= ? AND approval IS NULL ORDER BY due LIMIT ?",
    tx.nowMs,
    limit,
  );
  for (const { event, ...wait } of due) settleCall(tx, wait, wait.position, event === null ? NOTHING : TIMED_OUT);
  const unclaimed = tx.db.all<Entry>(
    `SELECT ${ENTRY_COLUMNS} FROM waiting WHERE woken <= ? ORDER BY woken LIMIT ?`,
    tx.nowMs,
    limit,
  );
  for (const entry of unclaimed) release(tx, entry);
  return due.length === limit || unclaimed.length === limit;
}

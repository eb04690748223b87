import type { Transaction } from "../../../database/writer.ts";
import { NOTHING, TIMED_OUT } from "../../../job/durable/outcome.ts";
import { giveNext } from "../events/give-event.ts";
import { settleCall } from "../queue/waits.ts";
import { release } from "../queue/wake-run.ts";
import { ENTRY_COLUMNS, type Entry } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";

/** When the next wait is over, when the next worker is no longer preferred, and whether an event is still being given. */
export const NEXT_WAIT = `SELECT min(due) AS at FROM wait WHERE due IS NOT NULL
  UNION ALL SELECT min(woken) FROM waiting WHERE woken IS NOT NULL
  UNION ALL SELECT 0 FROM event WHERE upto IS NOT NULL`;

/**
 * Ends the sleeps and the timeouts whose time has come, and goes on giving an event that many wait for: whoever emitted it may
 * have died. A wait is not over while an event of its name is being given. Returns true when there may be more.
 */
export function settleDue(tx: Transaction<Notice>, limit: number): boolean {
  const gives = giveNext(tx);
  const due = tx.db.all<{ job: number; run: number; position: number; event: string | null }>(
    `SELECT job, run, position, event FROM wait WHERE due <= ? AND approval IS NULL
       AND (event IS NULL OR NOT EXISTS (SELECT 1 FROM event e WHERE e.name = wait.event AND e.upto IS NOT NULL)) ORDER BY due LIMIT ?`,
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
  return gives || due.length === limit || unclaimed.length === limit;
}

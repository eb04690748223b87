import type { Transaction } from "../../database/writer.ts";
import type { HistoryEvent } from "../../job/history.ts";
import type { JobNumber } from "./job-number.ts";
import type { Notice } from "./notice.ts";

/**
 * Appends an unusual event to a job's history. Beyond `rowsMax` rows the last one only counts what it no longer holds.
 */
export function addHistory(
  tx: Transaction<Notice>,
  { job, run }: { readonly job: JobNumber; readonly run: number },
  event: HistoryEvent,
  data: Readonly<Record<string, unknown>>,
  rowsMax = 1_000,
): void {
  const last =
    tx.db.get<{ seq: number }>("SELECT seq FROM history WHERE job = ? AND run = ? ORDER BY seq DESC LIMIT 1", job, run)
      ?.seq ?? 0;
  if (last >= rowsMax) {
    tx.db.run(
      "UPDATE history SET data = json_set(data, '$.dropped_after', coalesce(json_extract(data, '$.dropped_after'), 0) + 1) WHERE job = ? AND run = ? AND seq = ?",
      job,
      run,
      last,
    );
    return;
  }
  tx.db.run(
    "INSERT INTO history (job, run, seq, at, event, data) VALUES (?, ?, ?, ?, ?, ?)",
    job,
    run,
    last + 1,
    tx.nowMs,
    event,
    JSON.stringify(data),
  );
}

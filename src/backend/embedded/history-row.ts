import type { Transaction } from "../../database/writer.ts";
import type { HistoryEvent } from "../../job/history.ts";
import type { JobNumber } from "./job-number.ts";
import type { Notice } from "./notice.ts";

/** The job whose history an event belongs to. */
export interface HistoryOwner {
  readonly job: JobNumber;
  readonly run: number;
  /** Rows that it may have, where the event may come often; `history.rows_max` of when it was submitted. */
  readonly rowsMax?: number;
}

/** Appends an unusual event to a job's history. The last row that it may have counts the events after it. */
export function addHistory(
  tx: Transaction<Notice>,
  { job, run, rowsMax = Number.POSITIVE_INFINITY }: HistoryOwner,
  event: HistoryEvent,
  data: Readonly<Record<string, unknown>>,
): void {
  const { rows } = tx.db.get<{ rows: number }>(
    "SELECT coalesce(max(seq), 0) AS rows FROM history WHERE job = ? AND run = ?",
    job,
    run,
  ) ?? { rows: 0 };
  if (rows >= Math.max(1, rowsMax)) {
    tx.db.run(
      "UPDATE history SET data = json_set(data, '$.further_events', coalesce(json_extract(data, '$.further_events'), 0) + 1) WHERE job = ? AND run = ? AND seq = ?",
      job,
      run,
      rows,
    );
    return;
  }
  tx.db.run(
    "INSERT INTO history (job, run, seq, at, event, data) VALUES (?, ?, ?, ?, ?, ?)",
    job,
    run,
    rows + 1,
    tx.nowMs,
    event,
    JSON.stringify(data),
  );
}

import type { Transaction } from "../../../database/writer.ts";
import type { HistoryEvent } from "../../../job/history.ts";
import type { JobNumber } from "./job-number.ts";
import type { Notice } from "./notice.ts";

/** The job whose history an event belongs to. */
export interface HistoryOwner {
  readonly job: JobNumber;
  readonly run: number;
  /** Rows that the job may have over all its runs, where the event may come often; `history.rows_max` of when it was submitted. */
  readonly rowsMax?: number;
}

/** Appends an unusual event to a job's history. The last row that a run may have counts the events after it. */
export function addHistory(
  tx: Transaction<Notice>,
  { job, run, rowsMax = Number.POSITIVE_INFINITY }: HistoryOwner,
  event: HistoryEvent,
  data: Readonly<Record<string, unknown>>,
): void {
  const { rows, seq } = tx.db.get<{ rows: number; seq: number }>(
    "SELECT count(*) AS rows, coalesce(max(seq) FILTER (WHERE run = ?2), 0) AS seq FROM history WHERE job = ?1",
    job,
    run,
  ) ?? { rows: 0, seq: 0 };
  // A run after the first has at least the row that says who started it.
  if (rows >= Math.max(1, rowsMax)) {
    tx.db.run(
      "UPDATE history SET data = json_set(data, '$.further_events', coalesce(json_extract(data, '$.further_events'), 0) + 1) WHERE job = ? AND run = ? AND seq = ?",
      job,
      run,
      seq,
    );
    return;
  }
  tx.db.run(
    "INSERT INTO history (job, run, seq, at, event, data) VALUES (?, ?, ?, ?, ?, ?)",
    job,
    run,
    seq + 1,
    tx.nowMs,
    event,
    JSON.stringify(data),
  );
}

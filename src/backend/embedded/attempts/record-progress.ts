import type { Transaction } from "../../../database/writer.ts";
import type { Progress } from "../../../job/context.ts";
import { checkLease } from "../lease/lease.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** Stores how far an attempt is; the last word counts. */
export function recordProgress(
  tx: Transaction<Notice>,
  epoch: number,
  { job, run, progress }: { readonly job: JobNumber; readonly run: number; readonly progress: Progress },
): void {
  checkLease(tx, epoch);
  tx.db.run(
    "INSERT INTO progress (job, run, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run, at = excluded.at, data = excluded.data",
    job,
    run,
    tx.nowMs,
    JSON.stringify(progress),
  );
  tx.notify({ kind: "moved", jobs: [job] });
}

import type { Effect } from "../../../attempt/handlers.ts";
import type { Transaction } from "../../../database/writer.ts";
import { checkLease } from "../lease/lease.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** Stores an effect under its lease, durably, before it starts. */
export function recordEffect(
  tx: Transaction<Notice>,
  {
    epoch,
    job,
    run,
    folder,
    effect,
  }: {
    readonly epoch: number;
    readonly job: JobNumber;
    readonly run: number;
    readonly folder: string;
    readonly effect: Effect;
  },
): void {
  checkLease(tx, epoch);
  tx.db.run(
    "INSERT INTO effect (job, run, at, folder, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, folder = excluded.folder, body = excluded.body",
    job,
    run,
    tx.nowMs,
    folder,
    JSON.stringify(effect),
  );
}

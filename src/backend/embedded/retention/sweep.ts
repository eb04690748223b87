import type { Transaction } from "../../../database/writer.ts";
import { removeOldEvents } from "../events/event-retention.ts";
import { sweepPolicyLog } from "../policy-log.ts";
import type { Notice } from "../rows/notice.ts";

/** A bucket is full again after its span, which is a day at most. */
const RATE_KEPT_MS = 25 * 3_600_000;

/** Things that pile up beside jobs: requests of finished jobs, rows of workers long gone, buckets that are full again. */
export function sweep(tx: Transaction<Notice>, beforeMs: number): void {
  tx.db.run(
    "DELETE FROM cancel_request WHERE EXISTS (SELECT 1 FROM done d WHERE d.job = cancel_request.job AND d.run = cancel_request.run)",
  );
  tx.db.run(
    "DELETE FROM progress WHERE EXISTS (SELECT 1 FROM done d WHERE d.job = progress.job AND d.run >= progress.run)",
  );
  tx.db.run(
    "DELETE FROM worker WHERE stopped < ? AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.worker = worker.id)",
    beforeMs,
  );
  tx.db.run("DELETE FROM rate WHERE base < ?1 AND horizon < ?1", tx.nowMs - RATE_KEPT_MS);
  tx.db.run(
    "DELETE FROM idempotency WHERE expires < ? AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = idempotency.job)",
    tx.nowMs,
  );
  removeOldEvents(tx);
  sweepPolicyLog(tx, beforeMs);
}

import type { Transaction } from "../../../database/writer.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease } from "../lease/lease.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";

/** Says in the job's history, under the lease, that its attempt takes over what an earlier one had started. */
export function recordAdoption(tx: Transaction<Notice>, { epoch, entry, rules, effect }: Claim, worker: number): void {
  checkLease(tx, epoch);
  addHistory(tx, { ...entry, rowsMax: rules.historyRowsMax }, "attempt.adopted", {
    attempt: entry.attempt,
    worker,
    folder: effect?.folder,
  });
}

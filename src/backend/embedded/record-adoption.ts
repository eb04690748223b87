import type { Transaction } from "../../database/writer.ts";
import type { Claim } from "./claim.ts";
import { addHistory } from "./history-row.ts";
import { checkLease } from "./lease.ts";
import type { Notice } from "./notice.ts";

/** Says in the job's history, under the lease, that its attempt takes over what an earlier one had started. */
export function recordAdoption(tx: Transaction<Notice>, { epoch, entry, rules, effect }: Claim, worker: number): void {
  checkLease(tx, epoch);
  addHistory(tx, { ...entry, rowsMax: rules.historyRowsMax }, "attempt.adopted", {
    attempt: entry.attempt,
    worker,
    folder: effect?.folder,
  });
}

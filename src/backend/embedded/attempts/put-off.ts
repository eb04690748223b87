import type { Transaction } from "../../../database/writer.ts";
import type { ErrorRecord } from "../../../error.ts";
import { backoffDelayMs } from "../../../job/retry.ts";
import type { Claim } from "../lease/claim.ts";
import { storeExpiries } from "../queue/admission.ts";
import { insertDelayed } from "../queue/insert-delayed.ts";
import { type Look, newestLook } from "../reading/newest-look.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { type Entry, GOES_ON } from "../rows/entry.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";

/** Between looks. Bounded, so that a job goes on within a minute of the machine's repair. */
const PAUSES = { firstMs: 1_000, factor: 2, capMs: 60_000, jitter: 0 };
/** A look that comes this much later than it was meant for is the first one of another outage. */
const OUTAGE_GAP_MS = 600_000;

/**
 * A worker could not verify what people signed for a run: it leaves its lease and is looked at again after a pause that
 * grows with each look. This look was no attempt, and nothing of the approval is used up.
 */
export function putOff(
  tx: Transaction<Notice>,
  { claim, worker }: { readonly claim: Claim; readonly worker: number },
  error: ErrorRecord,
): void {
  const before = newestLook(tx.db, claim.entry);
  const goesOn = before !== undefined && tx.nowMs - before.data.retry_at < OUTAGE_GAP_MS;
  const looks = goesOn ? before.data.looks + 1 : 1;
  // The next attempt ends by a cancel whose notice came too late for this one, and does not look at anything.
  const due = isCancelRequested(tx.db, claim.entry) ? tx.nowMs : tx.nowMs + backoffDelayMs(PAUSES, looks, 0);
  const data: Look = { attempt: claim.entry.attempt, worker, error, looks, retry_at: due };
  // One row for each outage, however long it is.
  if (goesOn)
    tx.db.run(
      "UPDATE history SET data = json_patch(data, ?) WHERE job = ? AND run = ? AND seq = ?",
      JSON.stringify(data),
      claim.entry.job,
      claim.entry.run,
      before.seq,
    );
  else addHistory(tx, claim.entry, "approval.unverified", data);
  // It has its unit of the rate limit, and a cancel that comes at this moment must be found.
  const recover = claim.entry.recover === 1 ? 1 : GOES_ON;
  const entry: Entry = { ...claim.entry, attempt: claim.entry.attempt - 1, recover };
  storeExpiries(tx, claim.job, entry);
  insertDelayed(tx, entry, due, "verify");
}

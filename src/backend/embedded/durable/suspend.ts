import type { Suspendable, Suspension } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease, setLeasedJobs } from "../lease/lease.ts";
import { storeExpiry } from "../queue/admission.ts";
import { hasDecision, hasWaits } from "../queue/waits.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import type { LeasedJob } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";

/** The attempt that may be suspended. */
export interface Suspending {
  readonly claim: Claim;
  readonly worker: number;
  /** Jobs of the same lease that have not ended, this one left out. */
  readonly others: (tx: Transaction<Notice>) => readonly LeasedJob[];
  /** Its code in memory. */
  readonly code: Suspendable;
}

/**
 * Suspends a run whose calls wait: it leaves its lease and keeps its keys, and is one row from now on.
 *
 * @throws AppError `LEASE_LOST`.
 */
export function suspend(tx: Transaction<Notice>, { claim, worker, others, code }: Suspending): Suspension {
  const { entry, epoch, job } = claim;
  checkLease(tx, epoch);
  if (!code.alive) throw new AppError("LEASE_LOST", "this attempt has ended; its code waits no more");
  if (isCancelRequested(tx.db, entry)) return { kind: "cancelled" };
  if (!hasWaits(tx, entry) || hasDecision(tx, entry)) return { kind: "settled" };
  tx.db.run(
    "INSERT INTO waiting (job, run, attempt, failures, crashes, recover, since, worker, woken) VALUES (?, ?, ?, ?, ?, 0, ?, ?, NULL)",
    entry.job,
    entry.run,
    entry.attempt,
    entry.failures,
    // What gets on is no job that kills its workers.
    0,
    tx.nowMs,
    worker,
  );
  setLeasedJobs(tx, epoch, others(tx));
  // It was taken out when it passed while the job ran.
  if (job.env.deadline !== undefined) storeExpiry(tx, job.env.deadline, job.id, entry.run, "deadline");
  tx.notify({ kind: "moved", jobs: [entry.job] });
  return { kind: "suspended" };
}

/** True when an earlier try of the same suspension was committed after all. */
export function isSuspended(tx: Transaction<Notice>, { entry }: Claim): boolean {
  return (
    tx.db.get(
      "SELECT 1 FROM waiting WHERE job = ? AND run = ? AND attempt = ?",
      entry.job,
      entry.run,
      entry.attempt,
    ) !== undefined
  );
}

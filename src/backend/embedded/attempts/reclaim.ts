import type { Transaction } from "../../../database/writer.ts";
import { decideReclaim } from "../../../job/crash.ts";
import { deleteLease, type Lease, openLeases } from "../lease/lease.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { hasEffect } from "../rows/effect-row.ts";
import type { LeasedJob } from "../rows/entry.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Interned } from "../rows/intern.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { carryOut } from "./carry-out.ts";
import { PROBATION_MS } from "./claim-ready.ts";

/** Why a worker's jobs are taken from it; `unknown`: it has a lease that it does not know of, as after a commit that failed. */
export type ReclaimReason = "dead" | "expired" | "stuck" | "unknown";

/** One job that was taken from a worker. */
export interface Reclaimed {
  readonly job: number;
  readonly attempt: number;
  readonly became: "again" | "failed" | "cancelled";
}

/**
 * Takes every job from a worker: the leases go, so whatever it still sends is refused, and each job is decided over by its
 * crash rule. A worker that ended itself because one handler blocked it (`stuck`) charges no crash to the others.
 *
 * @param only the lease with this epoch. Default: all.
 */
export function reclaim(
  tx: Transaction<Notice>,
  interned: Interned,
  worker: number,
  reason: ReclaimReason,
  only?: number,
): Reclaimed[] {
  const reclaimed: Reclaimed[] = [];
  const leases = openLeases(tx.db, worker);
  const youngest = leases.filter(isProbation).at(-1)?.at ?? 0;
  for (const lease of leases) {
    if (only !== undefined && lease.epoch !== only) continue;
    deleteLease(tx, lease.epoch);
    for (const leased of lease.jobs) {
      // Who passed its probation is not charged when the worker dies under the next one.
      const charged = reason === "dead" && !(isProbation(lease) && youngest - lease.at > PROBATION_MS / 2);
      const from = { worker, reason, epoch: lease.epoch, claimed: lease.at, charged };
      const taken = reclaimOne(tx, interned, from, leased);
      if (taken !== undefined) reclaimed.push(taken);
    }
  }
  return reclaimed;
}

/** Under a lease of its own, and its workers died more than once. */
function isProbation({ jobs: [first] }: Lease): boolean {
  return first !== undefined && first[4] > 1;
}

interface From {
  readonly worker: number;
  readonly reason: ReclaimReason;
  readonly epoch: number;
  readonly claimed: number;
  /** True when the crash counts against the job. */
  readonly charged: boolean;
}

/** A durable job that recorded something since it was claimed is not what kills its workers, or it does so later each time. */
function gotOn(tx: Transaction<Notice>, { id, env }: JobRow, run: number, claimed: number): boolean {
  if (env.since === undefined) return false;
  const newest = tx.db.get<{ settled: number | null }>(
    "SELECT settled FROM recorded WHERE job = ? AND run = ? ORDER BY position DESC LIMIT 1",
    id,
    run,
  )?.settled;
  return newest != null && newest >= claimed;
}

function reclaimOne(tx: Transaction<Notice>, interned: Interned, from: From, leased: LeasedJob): Reclaimed | undefined {
  const [number, run, attempt, failures, crashes] = leased;
  const job = readJob(tx.db, number);
  if (job === undefined) return undefined;
  const rules = interned.rules(tx.db, job.rules);
  const decision = decideReclaim({
    cancelRequested: isCancelRequested(tx.db, { job: number, run }),
    chargeCrash: from.charged,
    crashes: gotOn(tx, job, run, from.claimed) ? 0 : crashes,
    crashesMax: rules.crashesMax,
    afterCrash: job.env.after_crash ?? "rerun",
    recordsEffects: rules.recordsEffects,
    hasEffect: hasEffect(tx.db, { job: number, run }),
  });
  const entry = {
    job: number,
    run,
    attempt,
    failures,
    crashes: decision.kind === "again" ? decision.crashes : crashes + (from.charged ? 1 : 0),
  };
  addHistory(tx, { ...entry, rowsMax: rules.historyRowsMax }, "lease.reclaimed", {
    attempt,
    worker: from.worker,
    epoch: from.epoch,
    reason: from.reason,
    claimed_at: from.claimed,
    crashes: entry.crashes,
    became: decision.kind,
  });
  carryOut(tx, decision, {
    job,
    entry,
    worker: from.worker,
    claimed: from.claimed,
    cancelled: { code: "CANCELLED", message: "it was cancelled while it ran, and its worker is gone" },
  });
  return { job: number, attempt, became: decision.kind };
}

import type { Transaction } from "../../../database/writer.ts";
import type { Claim } from "../lease/claim.ts";
import type { Epochs } from "../lease/epochs.ts";
import { insertLease } from "../lease/lease.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { readEffect } from "../rows/effect-row.ts";
import type { Entry } from "../rows/entry.ts";
import { effectiveRules } from "../rows/env.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";

/** A job that was taken out of its place. */
export interface Candidate {
  readonly job: JobRow;
  readonly entry: Entry;
}

/** Puts jobs that were taken out of their places under one lease. */
export function makeClaims(
  tx: Transaction<Notice>,
  interned: Interned,
  epochs: Epochs,
  worker: number,
  candidates: readonly Candidate[],
): Claim[] {
  if (candidates.length === 0) return [];
  const epoch = epochs.take(tx.db);
  const claims = candidates.map((candidate) => makeClaim(tx, interned, epoch, candidate));
  insertLease(tx.db, {
    epoch,
    worker,
    at: tx.nowMs,
    jobs: claims.map(({ entry }) => [entry.job, entry.run, entry.attempt, entry.failures, entry.crashes]),
  });
  tx.notify({ kind: "moved", jobs: claims.map(({ entry }) => entry.job) });
  return claims;
}

function makeClaim(tx: Transaction<Notice>, interned: Interned, epoch: number, { job, entry }: Candidate): Claim {
  const recovers = entry.recover !== 0;
  const effect = recovers ? readEffect(tx.db, entry) : undefined;
  return {
    epoch,
    entry: { ...entry, attempt: entry.attempt + 1 },
    job,
    rules: effectiveRules(interned.rules(tx.db, job.rules), job.env),
    claimedAt: tx.nowMs,
    cancelRequested: recovers && isCancelRequested(tx.db, entry),
    ...(effect === undefined ? {} : { effect }),
  };
}

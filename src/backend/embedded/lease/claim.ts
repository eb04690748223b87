import type { Connection } from "../../../database/connection.ts";
import type { JobRules } from "../../../job/spec.ts";
import type { StoredEffect } from "../rows/effect-row.ts";
import type { Entry, LeasedJob } from "../rows/entry.ts";
import { effectiveRules } from "../rows/env.ts";
import type { Interned } from "../rows/intern.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Lease } from "./lease.ts";

/** A job that a worker may run now, under a lease. */
export interface Claim {
  readonly epoch: number;
  readonly entry: Entry;
  readonly job: JobRow;
  readonly rules: JobRules;
  readonly claimedAt: number;
  readonly cancelRequested: boolean;
  readonly effect?: StoredEffect;
}

/** The claim of a job as its lease has it, for whoever did not make it. */
export function loadClaim(
  db: Connection,
  interned: Interned,
  lease: Lease,
  [job, run, attempt, failures, crashes]: LeasedJob,
): Claim | undefined {
  const row = readJob(db, job);
  if (row === undefined) return undefined;
  return {
    epoch: lease.epoch,
    entry: { job, run, attempt, failures, crashes, recover: 0 },
    job: row,
    rules: effectiveRules(interned.rules(db, row.rules), row.env),
    claimedAt: lease.at,
    cancelRequested: false,
  };
}

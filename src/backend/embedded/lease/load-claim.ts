import type { Connection } from "../../../database/connection.ts";
import type { Claim } from "../attempts/claim-ready.ts";
import type { LeasedJob } from "../rows/entry.ts";
import { effectiveRules } from "../rows/env.ts";
import type { Interned } from "../rows/intern.ts";
import { readJob } from "../rows/job-row.ts";
import type { Lease } from "./lease.ts";

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

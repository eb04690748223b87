import type { Connection } from "../../database/connection.ts";
import type { Claim } from "./claim.ts";
import type { LeasedJob } from "./entry.ts";
import { effectiveRules } from "./env.ts";
import type { Interned } from "./intern.ts";
import { readJob } from "./job-row.ts";
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

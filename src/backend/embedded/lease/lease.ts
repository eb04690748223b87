import { type Connection, readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { LeasedJob } from "../rows/entry.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** A lease: the right of one worker to run a batch of jobs, until its row is gone. */
export interface Lease {
  readonly epoch: number;
  readonly worker: number;
  readonly at: number;
  readonly jobs: readonly LeasedJob[];
}

/** Leases that a transaction has seen. */
const heldIn = new WeakMap<Transaction<Notice>, Set<number>>();

/** Stores a lease over a batch. */
export function insertLease(db: Connection, { epoch, worker, at, jobs }: Lease): void {
  db.run("INSERT INTO lease (epoch, worker, at, jobs) VALUES (?, ?, ?, ?)", epoch, worker, at, JSON.stringify(jobs));
}

/**
 * The fence. Everything that an attempt records goes through it.
 *
 * @throws AppError `LEASE_LOST` when the lease was taken away.
 */
export function checkLease(tx: Transaction<Notice>, epoch: number): void {
  let held = heldIn.get(tx);
  if (held === undefined) {
    held = new Set();
    heldIn.set(tx, held);
  }
  // All ends of one commit look once for each lease; who deletes a lease in the same commit says so.
  if (held.has(epoch)) return;
  if (tx.db.get("SELECT 1 FROM lease WHERE epoch = ?", epoch) === undefined) {
    throw new AppError(
      "LEASE_LOST",
      `lease ${epoch} was taken from this worker; what its attempt did late counts for nothing`,
    );
  }
  held.add(epoch);
}

/** Ends a lease. */
export function deleteLease(tx: Transaction<Notice>, epoch: number): void {
  tx.db.run("DELETE FROM lease WHERE epoch = ?", epoch);
  heldIn.get(tx)?.delete(epoch);
}

/** Writes which jobs a lease still covers; with none left the lease ends. */
export function setLeasedJobs(tx: Transaction<Notice>, epoch: number, jobs: readonly LeasedJob[]): void {
  if (jobs.length === 0) deleteLease(tx, epoch);
  else tx.db.run("UPDATE lease SET jobs = ? WHERE epoch = ?", JSON.stringify(jobs), epoch);
}

/** The leases of a worker with the jobs that have not ended. */
export function openLeases(db: Connection, worker: number): Lease[] {
  return db
    .all<{ epoch: number; worker: number; at: number; jobs: string }>(
      "SELECT epoch, worker, at, jobs FROM lease WHERE worker = ? ORDER BY epoch",
      worker,
    )
    .map(({ jobs, ...lease }) => ({
      ...lease,
      jobs: readJson<LeasedJob[]>(jobs, `lease ${lease.epoch}`).filter(([job, run]) => !isDone(db, job, run)),
    }));
}

function isDone(db: Connection, job: JobNumber, run: number): boolean {
  return db.get("SELECT 1 FROM done WHERE job = ? AND run = ?", job, run) !== undefined;
}

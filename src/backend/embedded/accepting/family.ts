import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { ParentRef } from "../../../job/spec.ts";
import type { JobNumber } from "../job-number.ts";
import { readJob, standingOf } from "../job-row.ts";
import type { Notice } from "../notice.ts";
import { takeUnit } from "../rate-bucket.ts";
import type { AcceptParts } from "./accept-parts.ts";

/** A child's parent and its first ancestor. */
export interface Family {
  readonly parent: JobNumber;
  readonly root: JobNumber;
}

/**
 * Checks the loop guards of a child and finds its first ancestor.
 *
 * @throws AppError `LIMIT_REACHED`
 */
export function familyOf(tx: Transaction<Notice>, parts: AcceptParts, ref: ParentRef): Family | undefined {
  const parent = parts.numbers.numberOf(ref.jobId);
  if (parent === undefined) return undefined;
  let depth = 0;
  let root = parent;
  for (let next: JobNumber | undefined = parent; next !== undefined; ) {
    const job = readJob(tx.db, next);
    if (job === undefined) break;
    root = job.env.root ?? job.id;
    if (standingOf(tx.db, job)?.kind === "done") break;
    if (++depth > parts.limits.depthMax) {
      throw new AppError(
        "LIMIT_REACHED",
        `job ${ref.jobId} has ${depth} unfinished ancestors; job.depth_max is ${parts.limits.depthMax}: does a job of this kind start itself again?`,
      );
    }
    next = job.env.parent;
  }
  const key = `spawn:${root}`;
  const rate = takeUnit(tx, key, { units: parts.limits.spawnRate, perMs: 60_000 });
  if (rate.kind === "wait") {
    throw new AppError(
      "LIMIT_REACHED",
      `job ${parts.numbers.idOf(root)} and its descendants made more than ${parts.limits.spawnRate} jobs in a minute (job.spawn_rate)`,
    );
  }
  return { parent, root };
}

/** A cancel of the parent is meant for the children too that it makes before it has stopped. */
export function isCancelled(db: Connection, parent: JobNumber, run: number): boolean {
  return (
    db.get("SELECT 1 FROM cancel_request WHERE job = ? AND run = ?", parent, run) !== undefined ||
    db.get("SELECT 1 FROM done WHERE job = ? AND run = ? AND state = 'cancelled'", parent, run) !== undefined
  );
}

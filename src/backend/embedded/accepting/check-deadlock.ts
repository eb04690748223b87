import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { JobSpec } from "../../../job/spec.ts";
import type { JobNumber, JobNumbers } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";

/**
 * Refuses a child that somebody waits for and that needs a key which that one, or one that waits for it in turn, holds: neither
 * would ever go on.
 *
 * @throws AppError `CONCURRENCY_DEADLOCK`.
 */
export function checkDeadlock(tx: Transaction<Notice>, numbers: JobNumbers, spec: JobSpec, parent: JobNumber): void {
  if (spec.parent?.awaited !== true || spec.keys.length === 0) return;
  const needed = new Set(spec.keys.map(({ key }) => key));
  for (let next: JobNumber | undefined = parent; next !== undefined; ) {
    const job = readJob(tx.db, next);
    const shared = job?.keys.find(({ key }) => needed.has(key));
    if (job !== undefined && shared !== undefined)
      throw new AppError(
        "CONCURRENCY_DEADLOCK",
        `${spec.type} needs the key ${shared.key}, which job ${numbers.idOf(job.id)} holds while it waits for it; enqueue it without waiting, or give one of them another key`,
      );
    next = job?.env.awaited === true ? job.env.parent : undefined;
  }
}

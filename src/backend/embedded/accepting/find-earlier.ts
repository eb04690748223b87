import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { JobSpec, ParentRef } from "../../../job/spec.ts";
import type { Acceptance } from "../../acceptance.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf } from "../rows/standing.ts";
import type { AcceptParts } from "./accept-parts.ts";

/**
 * The job that the request's key, its parent's slot or its schedule's slot already names.
 *
 * @throws AppError `IDEMPOTENCY_CONFLICT`
 */
export function findEarlier(
  tx: Transaction<Notice>,
  parts: AcceptParts,
  { spec, slot }: Acceptance,
): JobNumber | undefined {
  const child = spec.parent === undefined ? undefined : childOf(tx.db, parts, spec.parent);
  return child ?? heldByKey(tx, parts, spec) ?? (slot === undefined ? undefined : slotJob(tx.db, slot));
}

function childOf(
  db: Connection,
  { numbers }: AcceptParts,
  { jobId, runNumber, slot }: ParentRef,
): JobNumber | undefined {
  return db.get<{ job: number }>(
    "SELECT job FROM child WHERE parent = ? AND run = ? AND slot = ?",
    numbers.numberOf(jobId) ?? -1,
    runNumber,
    slot,
  )?.job;
}

function heldByKey(tx: Transaction<Notice>, parts: AcceptParts, spec: JobSpec): JobNumber | undefined {
  if (spec.idempotency === undefined || spec.idempotency.fresh) return undefined;
  const { key, digest } = spec.idempotency;
  const held = tx.db.get<{ digest: string; job: number; expires: number }>(
    "SELECT digest, job, expires FROM idempotency WHERE type = ? AND key = ?",
    spec.type,
    key,
  );
  if (held === undefined || (held.expires <= tx.nowMs && isFinished(tx.db, held.job))) return undefined;
  if (held.digest === digest) {
    countHit(tx.db);
    return held.job;
  }
  throw new AppError(
    "IDEMPOTENCY_CONFLICT",
    `the key ${JSON.stringify(key)} of ${spec.type} names job ${parts.numbers.idOf(held.job)}, which has another input; use another key, or --new to give the key to a new job`,
  );
}

/** For `queue-metrics`: how often a key gave an earlier job back. */
function countHit(db: Connection): void {
  db.run(
    "INSERT INTO setting (name, value) VALUES ('idempotency_hits', 1) ON CONFLICT DO UPDATE SET value = value + 1",
  );
}

function isFinished(db: Connection, number: JobNumber): boolean {
  const job = readJob(db, number);
  return job === undefined || standingOf(db, job)?.kind === "done";
}

function slotJob(db: Connection, slot: NonNullable<Acceptance["slot"]>): JobNumber | undefined {
  return (
    db.get<{ job: number | null }>(
      "SELECT job FROM schedule_slot WHERE schedule = ? AND instant = ?",
      slot.schedule,
      slot.instantMs,
    )?.job ?? undefined
  );
}

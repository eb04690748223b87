import type { Connection } from "../../../database/connection.ts";
import { AppError } from "../../../error.ts";
import type { JobSpec } from "../../../job/spec.ts";

/** Refuses a job of a type that has enough waiting. Counts no further than the limit. @throws AppError `QUEUE_FULL` */
export function checkBacklog(db: Connection, spec: JobSpec): void {
  if (spec.queuedMax === undefined) return;
  const waiting = db.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM ready WHERE queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2))
          + (SELECT count(*) FROM (SELECT 1 FROM delayed d JOIN job j ON j.id = d.job WHERE j.queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2))
          + (SELECT count(*) FROM (SELECT 1 FROM blocked b JOIN job j ON j.id = b.job WHERE j.queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2))
          + (SELECT count(*) FROM (SELECT 1 FROM wait w JOIN job j ON j.id = w.job WHERE w.approval IS NOT NULL AND w.position = 0 AND j.queue IN (SELECT id FROM queue WHERE type = ?1) LIMIT ?2)) AS n`,
    spec.type,
    spec.queuedMax,
  )?.n;
  if ((waiting ?? 0) >= spec.queuedMax) {
    throw new AppError(
      "QUEUE_FULL",
      `${spec.type} has ${waiting} waiting jobs and its limit is ${spec.queuedMax}; try again when some are done, or raise queuedMax of the type`,
    );
  }
}

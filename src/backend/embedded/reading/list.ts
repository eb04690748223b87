import type { SqlValue } from "../../../database/connection.ts";
import { AppError } from "../../../error.ts";
import type { JobState } from "../../../job/state.ts";
import type { JobFilter, JobSummary } from "../../reading.ts";
import { firstNumberAt } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import { standingOf } from "../rows/standing.ts";
import { type ReadParts, summaryOf } from "./status.ts";

/** Rows that are read at a time while looking for those that match. */
const PAGE = 500;

/** Where the jobs of a state may stand; what is found is checked, because a replayed job also stands in `done`. */
const CANDIDATES: Readonly<Record<JobState, readonly string[]>> = {
  queued: [
    "SELECT job FROM ready",
    "SELECT job FROM blocked",
    "SELECT job FROM delayed WHERE reason NOT IN ('due', 'retry')",
    "SELECT job FROM waiting WHERE woken IS NOT NULL",
  ],
  scheduled: ["SELECT job FROM delayed WHERE reason IN ('due', 'retry')"],
  running: ["SELECT json_extract(e.value, '$[0]') AS job FROM lease l, json_each(l.jobs) e"],
  waiting: ["SELECT job FROM waiting WHERE woken IS NULL"],
  completed: ["SELECT job FROM done WHERE state = 'completed'"],
  failed: ["SELECT job FROM done WHERE state = 'failed'"],
  cancelled: ["SELECT job FROM done WHERE state = 'cancelled'"],
  expired: ["SELECT job FROM done WHERE state = 'expired'"],
};

/** Lists jobs, newest first. */
export function listJobs(parts: ReadParts, filter: JobFilter): { jobs: JobSummary[]; cursor: string | null } {
  let before = filter.cursor === undefined ? Number.MAX_SAFE_INTEGER : parts.numbers.numberOf(filter.cursor);
  if (before === undefined)
    throw new AppError(
      "INVALID_INPUT",
      `cursor ${JSON.stringify(filter.cursor)} is not one that an earlier page printed`,
    );
  const jobs: JobSummary[] = [];
  for (;;) {
    const numbers = candidates(parts, filter, before);
    for (const number of numbers) {
      const summary = summarise(parts, number);
      if (summary !== undefined && (filter.state === undefined || summary.state === filter.state)) jobs.push(summary);
      if (jobs.length === filter.limit) {
        const more = number !== numbers.at(-1) || numbers.length === PAGE;
        return { jobs, cursor: more ? parts.numbers.idOf(number) : null };
      }
    }
    if (numbers.length < PAGE) return { jobs, cursor: null };
    before = numbers.at(-1) ?? 0;
  }
}

function candidates({ db }: ReadParts, filter: JobFilter, before: number): number[] {
  const where: string[] = ["j.id < ?"];
  const values: SqlValue[] = [before];
  const add = (sql: string, ...more: SqlValue[]): void => {
    where.push(sql);
    values.push(...more);
  };
  if (filter.sinceMs !== undefined) add("j.id >= ?", firstNumberAt(filter.sinceMs));
  if (filter.type !== undefined) add("j.queue IN (SELECT id FROM queue WHERE type = ?)", filter.type);
  for (const [key, value] of Object.entries(filter.metadata ?? {}))
    add("j.id IN (SELECT job FROM metadata WHERE key = ? AND value = ?)", key, value);
  if (filter.state !== undefined) {
    const places = CANDIDATES[filter.state];
    add(`j.id IN (${places.join(" UNION ALL ")})`);
  }
  return db
    .all<{ id: number }>(
      `SELECT j.id FROM job j WHERE ${where.join(" AND ")} ORDER BY j.id DESC LIMIT ${PAGE}`,
      ...values,
    )
    .map(({ id }) => id);
}

function summarise({ db, numbers, interned }: ReadParts, number: number): JobSummary | undefined {
  const job = readJob(db, number);
  const standing = job === undefined ? undefined : standingOf(db, job);
  if (job === undefined || standing === undefined) return undefined;
  return {
    jobId: numbers.idOf(number),
    type: interned.queue(db, job.queue).type,
    ...summaryOf(job, standing),
  };
}

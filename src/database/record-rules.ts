/** A rule that the records keep. */
export interface RecordRule {
  /** What is wrong where it is broken, with what becomes of it. */
  readonly broken: string;
  /** Selects a row `job` (a number, or what names the row) for each breach. `{live}` is the list of unfinished runs. */
  readonly sql: string;
}

/**
 * Every unfinished run with its place. The entry of a lease that stands in `done` has ended; see
 * `backend/embedded/lease/lease.ts`.
 */
export const LIVE = `live (job, run, place) AS MATERIALIZED (
    SELECT job, run, 'ready' FROM ready UNION ALL SELECT job, run, 'delayed' FROM delayed UNION ALL SELECT job, run, 'blocked' FROM blocked
    UNION ALL SELECT job, run, 'waiting' FROM waiting
    UNION ALL SELECT e.value ->> 0, e.value ->> 1, 'lease' FROM lease l, json_each(l.jobs) e
      WHERE NOT EXISTS (SELECT 1 FROM done d WHERE d.job = e.value ->> 0 AND d.run = e.value ->> 1))`;

/** What `db check` looks for beyond what SQLite itself can know. Scans: about 3 s for a million jobs. */
export const RECORD_RULES: readonly RecordRule[] = [
  {
    broken: "stands in more than one place and may run twice",
    sql: "SELECT job FROM {live} GROUP BY job HAVING count(*) > 1",
  },
  {
    broken: "stands nowhere and will never run",
    sql: "SELECT id AS job FROM job WHERE id NOT IN (SELECT job FROM {live}) AND NOT EXISTS (SELECT 1 FROM done d WHERE d.job = id)",
  },
  {
    broken: "waits or runs although that run of it has ended",
    sql: "SELECT l.job FROM {live} l WHERE EXISTS (SELECT 1 FROM done d WHERE d.job = l.job AND d.run >= l.run)",
  },
  {
    broken: "waits or runs without a record of the job",
    sql: "SELECT l.job FROM {live} l WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = l.job)",
  },
  {
    broken: "has ended without a record of the job",
    sql: "SELECT DISTINCT d.job FROM done d WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = d.job)",
  },
  {
    broken: "stands in ready where no reader of its record looks for it",
    sql: "SELECT r.job FROM ready r JOIN job j ON j.id = r.job WHERE j.rank <> r.rank OR j.queue <> r.queue",
  },
  {
    broken: "refers to a queue, rules or an actor that is gone",
    sql: "SELECT j.id AS job FROM job j WHERE NOT EXISTS (SELECT 1 FROM queue q WHERE q.id = j.queue) OR NOT EXISTS (SELECT 1 FROM rules r WHERE r.id = j.rules) OR NOT EXISTS (SELECT 1 FROM actor a WHERE a.id = j.actor)",
  },
  {
    broken: "has a record that is not JSON",
    sql: "SELECT id AS job FROM job WHERE NOT json_valid(env)",
  },
  {
    broken: "has ended and holds a concurrency key, so others wait for ever",
    sql: "SELECT h.job FROM holder h WHERE h.job NOT IN (SELECT job FROM {live})",
  },
  {
    broken: "waits for nothing and will never go on",
    sql: "SELECT w.job FROM waiting w WHERE w.woken IS NULL AND NOT EXISTS (SELECT 1 FROM wait o WHERE o.job = w.job AND o.run = w.run)",
  },
  {
    broken: "waits for something that its record does not have open",
    sql: "SELECT o.job FROM wait o WHERE o.position > 0 AND NOT EXISTS (SELECT 1 FROM record r WHERE r.job = o.job AND r.run = o.run AND r.position = o.position AND r.outcome IS NULL)",
  },
  {
    broken: "waits for an approval that is gone, so nobody can give it",
    sql: "SELECT o.job FROM wait o WHERE o.approval IS NOT NULL AND NOT EXISTS (SELECT 1 FROM approval a WHERE a.id = o.approval AND a.job = o.job AND a.run = o.run AND a.position = o.position)",
  },
  {
    broken: "has a call twice in its record",
    sql: `SELECT job FROM record_tail GROUP BY job, run, position HAVING count(*) > 1
      UNION ALL SELECT t.job FROM record_tail t JOIN record r ON r.job = t.job AND r.run = t.run AND r.position = t.position`,
  },
  {
    broken: "runs under a lease whose worker is not known, so nobody takes it back",
    sql: "SELECT e.value ->> 0 AS job FROM lease l, json_each(l.jobs) e WHERE NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = l.worker AND w.stopped IS NULL)",
  },
];

import type { Connection } from "../../../database/connection.ts";
import type { JobState } from "../../../job/state.ts";
import type { JobStats } from "../../reading.ts";
import { readWaitingStats } from "./waiting-stats.ts";

/** Every job counts once, by the state of its newest run. A scan: for people and metrics, never on a hot path. */
const COUNTS = `
  SELECT q.type AS type, s.state AS state, count(*) AS count FROM (
    SELECT job, 'queued' AS state FROM ready
    UNION ALL SELECT job, 'queued' FROM blocked
    UNION ALL SELECT job, iif(reason IN ('due', 'retry'), 'scheduled', 'queued') FROM delayed
    UNION ALL SELECT job, iif(woken IS NULL, 'waiting', 'queued') FROM waiting
    UNION ALL SELECT json_extract(e.value, '$[0]'), 'running' FROM lease l, json_each(l.jobs) e
      WHERE NOT EXISTS (SELECT 1 FROM done d WHERE d.job = json_extract(e.value, '$[0]') AND d.run = json_extract(e.value, '$[1]'))
    UNION ALL SELECT job, state FROM done d WHERE run = (SELECT max(run) FROM done n WHERE n.job = d.job)
      AND NOT EXISTS (SELECT 1 FROM history h WHERE h.job = d.job AND h.run = d.run + 1 AND h.event = 'run.started')
  ) s JOIN job j ON j.id = s.job JOIN queue q ON q.id = j.queue
  GROUP BY q.type, s.state ORDER BY q.type, s.state`;

/** Counts by type and state, and what waits for what. */
export function readStats(db: Connection, nowMs: number): JobStats {
  const counts = db.all<{ type: string; state: JobState; count: number }>(COUNTS);
  const oldest = db.get<{ due: number | null }>(
    "SELECT min(j.due) AS due FROM (SELECT job FROM ready UNION ALL SELECT job FROM blocked) w JOIN job j ON j.id = w.job",
  )?.due;
  return { counts, oldestQueuedMs: oldest ?? null, waiting: readWaitingStats(db, nowMs) };
}

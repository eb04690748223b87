import type { Transaction } from "../../../database/writer.ts";
import type { Notice } from "../rows/notice.ts";
import { newestEvent } from "./emit.ts";

/** Events are kept at least so long. */
const KEPT_MS = 3_600_000;

/** Places of unfinished runs. */
const LIVE = `SELECT job FROM waiting UNION ALL SELECT job FROM ready UNION ALL SELECT job FROM delayed UNION ALL SELECT job FROM blocked
  UNION ALL SELECT json_extract(e.value, '$[0]') FROM lease l, json_each(l.jobs) e`;

/** Removes events that every unfinished run is younger than, after an hour. A scan over unfinished durable jobs. */
export function removeOldEvents(tx: Transaction<Notice>): void {
  const oldest = tx.db.get<{ since: number | null }>(
    `SELECT min(json_extract(j.env, '$.since')) AS since FROM (${LIVE}) l JOIN job j ON j.id = l.job
     WHERE j.rules IN (SELECT id FROM rules WHERE json_extract(body, '$.durable') = 1)`,
  )?.since;
  const newest = newestEvent(tx);
  const upTo = Math.min(oldest ?? newest - 1, newest - 1);
  const before = tx.nowMs - KEPT_MS;
  tx.db.run("DELETE FROM event_match WHERE event IN (SELECT id FROM event WHERE id <= ? AND at < ?)", upTo, before);
  tx.db.run("DELETE FROM event WHERE id <= ? AND at < ?", upTo, before);
}

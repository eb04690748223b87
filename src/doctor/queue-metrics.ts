import { statSync } from "node:fs";
import { readWaitingStats } from "../backend/embedded/reading/waiting-stats.ts";
import type { Clock } from "../clock.ts";
import { readLog } from "../database/checkpoint.ts";
import { type Connection, readJson } from "../database/connection.ts";
import { distribution } from "./distribution.ts";
import { isStalled, knownWorkers } from "./known-workers.ts";
import type { QueueMetrics } from "./queue-metrics-shape.ts";
import { eventCounts, waitingCounts } from "./waiting-shape.ts";

/** Finished runs that are read for the distributions: the newest jobs'. */
const RECENT_RUNS = 1_000;
/** Jobs at the head of each queue that are asked for their age. */
const HEAD = 200;

/**
 * Reads the numbers. Counting is all that grows with the database: 0.1 s with a million jobs queued and a million finished
 * (measured, in memory), so it may be asked every few seconds, and not on a hot path.
 */
export function readQueueMetrics(db: Connection, clock: Clock, machine: { readonly boot: string }): QueueMetrics {
  const now = clock.now();
  const log = readLog(db);
  // One moment for all counts; begun after the log was read, which it would otherwise hold.
  db.exec("BEGIN");
  try {
    return {
      at: new Date(now).toISOString(),
      database: databaseFacts(db),
      wal: { ...log },
      queue: queueFacts(db, now),
      ...waitingFacts(db, now),
      finished: finishedFacts(db),
      recent: recentFacts(db),
      ...workerFacts(db, clock, machine),
      keys: { held: count(db, "SELECT count(*) AS n FROM holder") },
      dedupe: dedupeFacts(db),
      schedules: scheduleFacts(db),
    };
  } finally {
    db.exec("COMMIT");
  }
}

function databaseFacts(db: Connection): QueueMetrics["database"] {
  return {
    path: db.path,
    schema: Number(db.pragma("user_version")),
    bytes: sizeOf(db.path),
    free_bytes: Number(db.pragma("freelist_count")) * Number(db.pragma("page_size")),
    log_bytes: sizeOf(`${db.path}-wal`),
  };
}

function queueFacts(db: Connection, now: number): QueueMetrics["queue"] {
  const delayed = new Map(
    db
      .all<{ reason: string; n: number }>("SELECT reason, count(*) AS n FROM delayed GROUP BY reason")
      .map(({ reason, n }) => [reason, n]),
  );
  const types = typesQueued(db, now);
  const ages = types.flatMap(({ oldest_ms }) => oldest_ms ?? []);
  return {
    queued: types.reduce((sum, { queued }) => sum + queued, 0),
    blocked: count(db, "SELECT count(*) AS n FROM blocked"),
    scheduled: delayed.get("due") ?? 0,
    retrying: delayed.get("retry") ?? 0,
    held_back: ["rate", "adopt", "verify"].reduce((sum, reason) => sum + (delayed.get(reason) ?? 0), 0),
    running: count(
      db,
      "SELECT count(*) AS n FROM lease l, json_each(l.jobs) e WHERE NOT EXISTS (SELECT 1 FROM done d WHERE d.job = e.value ->> 0 AND d.run = e.value ->> 1)",
    ),
    oldest_ms: ages.length === 0 ? null : Math.max(...ages),
    by_type: types,
  };
}

/** The age is that of the oldest among the first in line: priority and age make the order, so it is near the oldest of all. */
function typesQueued(db: Connection, now: number): QueueMetrics["queue"]["by_type"] {
  const rows = db.all<{ type: string; n: number; due: number | null }>(
    `SELECT q.type, r.n, (SELECT min(j.due) FROM (SELECT job FROM ready WHERE queue = q.id ORDER BY rank, job LIMIT ${HEAD}) h JOIN job j ON j.id = h.job) AS due
     FROM (SELECT queue, count(*) AS n FROM ready GROUP BY queue) r JOIN queue q ON q.id = r.queue ORDER BY q.type`,
  );
  return [...Map.groupBy(rows, ({ type }) => type)].map(([type, same]) => {
    const dues = same.flatMap(({ due }) => due ?? []);
    return {
      type,
      queued: same.reduce((sum, { n }) => sum + n, 0),
      oldest_ms: dues.length === 0 ? null : Math.max(0, now - Math.min(...dues)),
    };
  });
}

function waitingFacts(db: Connection, now: number): Pick<QueueMetrics, "waiting" | "events"> {
  const stats = readWaitingStats(db, now);
  return { waiting: waitingCounts(stats, now), events: eventCounts(stats, now) };
}

function finishedFacts(db: Connection): QueueMetrics["finished"] {
  const unusual = new Map(
    db
      .all<{ state: string; n: number }>(
        "SELECT state, count(*) AS n FROM done WHERE state <> 'completed' GROUP BY state",
      )
      .map(({ state, n }) => [state, n]),
  );
  const all = count(db, "SELECT count(*) AS n FROM done");
  return {
    completed: all - [...unusual.values()].reduce((sum, n) => sum + n, 0),
    failed: unusual.get("failed") ?? 0,
    cancelled: unusual.get("cancelled") ?? 0,
    expired: unusual.get("expired") ?? 0,
  };
}

function recentFacts(db: Connection): QueueMetrics["recent"] {
  const runs = db.all<{ claimed: number; finished: number; attempt: number; due: number }>(
    `SELECT d.claimed, d.finished, d.attempt, j.due FROM (SELECT job, claimed, finished, attempt FROM done ORDER BY job DESC, run DESC LIMIT ${RECENT_RUNS}) d
     JOIN job j ON j.id = d.job WHERE d.claimed IS NOT NULL`,
  );
  const first = runs.filter(({ attempt, claimed, due }) => attempt === 1 && claimed >= due);
  return {
    runs: runs.length,
    start_ms: distribution(first.map(({ claimed, due }) => claimed - due)),
    run_ms: distribution(runs.map(({ claimed, finished }) => Math.max(0, finished - claimed))),
  };
}

function workerFacts(
  db: Connection,
  clock: Clock,
  machine: { readonly boot: string },
): Pick<QueueMetrics, "leases" | "workers"> {
  const known = knownWorkers(db);
  const live = known.filter(({ alive, types }) => alive && types.length > 0);
  const total = db.get<{ n: number; oldest: number | null }>("SELECT count(*) AS n, min(at) AS oldest FROM lease");
  const leasesOf = (some: typeof known): number => some.reduce((sum, { leases }) => sum + leases, 0);
  return {
    leases: {
      count: total?.n ?? 0,
      oldest_ms: total?.oldest == null ? null : Math.max(0, clock.now() - total.oldest),
      of_dead_workers: leasesOf(known.filter(({ alive }) => !alive)),
      expired: leasesOf(known.filter((worker) => isStalled(worker, machine, clock.monotonic()))),
    },
    workers: {
      live: live.length,
      slots: live.reduce((sum, { concurrency }) => sum + concurrency, 0),
      dead: known.filter(({ alive }) => !alive).length,
    },
  };
}

function dedupeFacts(db: Connection): QueueMetrics["dedupe"] {
  const hits = db.get<{ value: number }>("SELECT value FROM setting WHERE name = 'idempotency_hits'")?.value;
  const types = db.all<{ name: string; body: string }>("SELECT name, body FROM type ORDER BY name");
  return {
    hits: hits ?? 0,
    keys: count(db, "SELECT count(*) AS n FROM idempotency"),
    window_ms: Object.fromEntries(
      types.map(({ name, body }) => {
        const { rules } = readJson<{ rules: { idempotencyWindowMs: number } }>(body, `type ${name}`);
        return [name, rules.idempotencyWindowMs];
      }),
    ),
  };
}

function scheduleFacts(db: Connection): QueueMetrics["schedules"] {
  const row = db.get<{ active: number; paused: number; next: number | null }>(
    "SELECT count(*) FILTER (WHERE paused = 0) AS active, count(*) FILTER (WHERE paused <> 0) AS paused, min(next) FILTER (WHERE paused = 0) AS next FROM schedule",
  );
  return {
    active: row?.active ?? 0,
    paused: row?.paused ?? 0,
    next_at: row?.next == null ? null : new Date(row.next).toISOString(),
  };
}

function count(db: Connection, sql: string): number {
  return db.get<{ n: number }>(sql)?.n ?? 0;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

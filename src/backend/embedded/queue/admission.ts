import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { KeyNeed } from "../../../job/spec.ts";
import { ENTRY_COLUMNS, type Entry, entryValues } from "../rows/entry.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import { type Notice, WORK } from "../rows/notice.ts";

/** Where a due job went. */
export type Admission = "ready" | "blocked" | "refused";

/**
 * Lets a due job into the ready queue when it gets all its concurrency keys at once; else it waits under the first full
 * one, out of the way of every claim. `refused` (nothing was stored) when that key's strategy is to cancel the newest.
 */
export function admit(
  tx: Transaction<Notice>,
  job: Pick<JobRow, "queue" | "rank" | "keys">,
  entry: Entry,
  fresh = false,
): Admission {
  const full = job.keys.length === 0 ? undefined : job.keys.find((need) => !hasRoom(tx.db, need, entry.job));
  if (full !== undefined) {
    if (fresh && full.strategy === "cancel-newest") return "refused";
    tx.db.run(
      `INSERT INTO blocked (key, rank, ${ENTRY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      full.key,
      job.rank,
      ...entryValues(entry),
    );
    return "blocked";
  }
  for (const { key } of job.keys)
    tx.db.run("INSERT INTO holder (key, job) VALUES (?, ?) ON CONFLICT DO NOTHING", key, entry.job);
  insertReady(tx, job, entry);
  return "ready";
}

/** A text that is put together each time costs a quarter of what the statement does. */
const INSERT_READY = `INSERT INTO ready (queue, rank, ${ENTRY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Puts a job that already has its keys, or needs none, where the next claim finds it. */
export function insertReady(tx: Transaction<Notice>, job: Pick<JobRow, "queue" | "rank">, entry: Entry): void {
  tx.db.run(INSERT_READY, job.queue, job.rank, ...entryValues(entry));
  tx.notify(WORK);
}

/** Puts a job whose attempt was taken from its worker back; a deadline that passed while it ran is looked at again. */
export function returnToReady(tx: Transaction<Notice>, job: JobRow, entry: Entry): void {
  insertReady(tx, job, entry);
  tx.notify({ kind: "moved", jobs: [job.id] });
  // From now on its machine is waited for, however long ago the effect was started.
  if (entry.recover === 1)
    tx.db.run("UPDATE effect SET at = ? WHERE job = ? AND run = ?", tx.nowMs, entry.job, entry.run);
  if (job.env.deadline !== undefined) storeExpiry(tx, job.env.deadline, job.id, entry.run, "deadline");
}

/** Stores a time at which a run expires or has to have ended. */
export function storeExpiry(
  tx: Transaction<Notice>,
  at: number,
  job: JobNumber,
  run: number,
  kind: "expires" | "deadline",
): void {
  tx.db.run(
    "INSERT INTO expiry (at, job, run, kind) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run",
    at,
    job,
    run,
    kind,
  );
  tx.notify({ kind: "due", atMs: at });
}

/** Stores the times of a run that leaves its lease: they were taken out when they passed meanwhile. */
export function storeExpiries(tx: Transaction<Notice>, { id, env }: JobRow, { run, attempt }: Entry): void {
  if (env.deadline !== undefined) storeExpiry(tx, env.deadline, id, run, "deadline");
  if (env.expires !== undefined && attempt === 0 && run === 1) storeExpiry(tx, env.expires, id, run, "expires");
}

/** Gives a job's keys back and lets in who waited for them, in the order of their ranks. */
export function releaseKeys(tx: Transaction<Notice>, job: JobNumber, keys: readonly KeyNeed[]): void {
  for (const { key } of keys) {
    tx.db.run("DELETE FROM holder WHERE key = ? AND job = ?", key, job);
    admitWaiting(tx, key);
  }
}

/** Lets in as many of those who wait for a key as there is room; one that lacks another key goes on waiting under that. */
function admitWaiting(tx: Transaction<Notice>, key: string): void {
  for (;;) {
    const next = tx.db.get<Entry & { rank: number }>(
      `SELECT rank, ${ENTRY_COLUMNS} FROM blocked WHERE key = ? ORDER BY rank, job LIMIT 1`,
      key,
    );
    if (next === undefined) return;
    const job = readJob(tx.db, next.job);
    const need = job?.keys.find((candidate) => candidate.key === key);
    if (job !== undefined && need !== undefined && !hasRoom(tx.db, need, next.job)) return;
    tx.db.run("DELETE FROM blocked WHERE key = ? AND rank = ? AND job = ?", key, next.rank, next.job);
    if (job !== undefined) admit(tx, job, next);
  }
}

/** A limit's worth of index entries at most is read. */
function hasRoom(db: Connection, need: KeyNeed, job: JobNumber): boolean {
  if (need.limit === 1) {
    return db.get("SELECT 1 FROM holder WHERE key = ? AND job <> ? LIMIT 1", need.key, job) === undefined;
  }
  const held =
    db.get<{ n: number }>(
      "SELECT count(*) AS n FROM (SELECT 1 FROM holder WHERE key = ? AND job <> ? LIMIT ?)",
      need.key,
      job,
      need.limit,
    )?.n ?? 0;
  return held < need.limit;
}

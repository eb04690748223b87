import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FOLD_TAIL, TAIL_FROM, TAIL_MAX } from "../src/backend/embedded/durable/record-tail.ts";
import { openDatabase } from "../src/database/open.ts";
import { payload } from "./setup.ts";

/**
 * The yardstick: the same tables and indexes, prepared statements, as many rows in a commit that waits for the disk as the
 * engine had on average, in one loop without the engine.
 */
export interface RawRun {
  readonly folder: string;
  readonly jobs: number;
  /** Rows in one commit. */
  readonly batch: number;
}

const ENV = (n: number): string => `{"input":${JSON.stringify(payload(n))}}`;

/** Rows a second for inserting jobs. */
export function rawEnqueue({ folder, jobs, batch }: RawRun): number {
  const db = open(folder);
  const started = performance.now();
  for (let next = 1; next <= jobs; ) next = insertBatch(db, next, Math.min(jobs, next + batch - 1));
  return finish(db, jobs, started);
}

/** Jobs a second for claiming and completing what was inserted before the clock started. */
export function rawDrain({ folder, jobs, batch }: RawRun): number {
  const db = open(folder);
  for (let next = 1; next <= jobs; ) next = insertBatch(db, next, Math.min(jobs, next + 999));
  const head = db.prepare(
    "SELECT r.rank, r.job, r.run, r.attempt, r.failures, r.crashes, r.recover, j.rules, j.actor, j.due, j.env FROM ready r JOIN job j ON j.id = r.job WHERE r.queue = 1 ORDER BY r.rank, r.job LIMIT ?",
  );
  const take = db.prepare("DELETE FROM ready WHERE queue = 1 AND rank = ? AND job = ?");
  const lease = db.prepare("INSERT INTO lease (epoch, worker, at, jobs) VALUES (?, 1, 0, ?)");
  const done = db.prepare(
    "INSERT INTO done (job, run, state, attempt, failures, crashes, worker, claimed, finished, result) VALUES (?, 1, 'completed', 1, 0, 0, 1, 0, 0, 'null')",
  );
  const release = db.prepare("DELETE FROM lease WHERE epoch = ?");
  const started = performance.now();
  let running: { rank: number; job: number }[] = [];
  for (let epoch = 1; ; epoch++) {
    db.exec("BEGIN IMMEDIATE");
    for (const { job } of running) done.run(job);
    if (running.length > 0) release.run(epoch - 1);
    running = head.all(batch) as { rank: number; job: number }[];
    for (const { rank, job } of running) take.run(rank, job);
    if (running.length > 0) lease.run(epoch, JSON.stringify(running.map(({ job }) => [job, 1, 1, 0, 0])));
    db.exec("COMMIT");
    if (running.length === 0) return finish(db, jobs, started);
  }
}

/** Records a second for appending what steps came to: one job alone to its record, several to the tail, moved as the engine does. */
export function rawSteps({ folder, jobs, batch }: RawRun): number {
  const db = open(folder);
  const shared = batch >= TAIL_FROM;
  const append = db.prepare(
    shared
      ? "INSERT INTO record_tail (job, run, position, kind, name, digest, at, outcome) VALUES (?, 1, ?, 'step', 'add', '', 0, '{\"ok\":1}')"
      : "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) VALUES (?, 1, ?, 'step', 'add', '', 0, 0, '{\"ok\":1}')",
  );
  const started = performance.now();
  for (let next = 0; next < jobs; ) {
    db.exec("BEGIN IMMEDIATE");
    for (const end = Math.min(jobs, next + batch); next < end; next++) {
      const { lastInsertRowid } = append.run(next % batch, Math.floor(next / batch));
      if (shared && Number(lastInsertRowid) >= TAIL_MAX) db.exec(FOLD_TAIL);
    }
    db.exec("COMMIT");
  }
  return finish(db, jobs, started);
}

/** Milliseconds for reading the record of a job of so many steps, with its JSON. */
export function rawRecords({ folder, jobs, batch }: RawRun): number {
  const path = nextPath(folder);
  const db = open(path);
  const append = db.prepare(
    "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) VALUES (1, 1, ?, 'step', 'add', '', 0, 0, '{\"ok\":1}')",
  );
  for (let next = 0; next < jobs; ) {
    db.exec("BEGIN IMMEDIATE");
    for (const end = Math.min(jobs, next + batch); next < end; next++) append.run(next);
    db.exec("COMMIT");
  }
  db.close();
  const reader = connect(path);
  const started = performance.now();
  const rows = reader
    .prepare("SELECT position, kind, name, digest, outcome FROM record WHERE job = 1 AND run = 1 ORDER BY position")
    .all();
  for (const { outcome } of rows) JSON.parse(String(outcome));
  const tookMs = performance.now() - started;
  reader.close();
  return tookMs;
}

/** Milliseconds for one commit of one row that waits for the disk: back to back, and after `idleMs` of rest. */
export async function commitCost(folder: string, idleMs: number, times: number): Promise<number[]> {
  const db = open(folder);
  insertBatch(db, 1, 2_000);
  const costs: number[] = [];
  for (let n = 0; n < times; n++) {
    if (idleMs > 0) await new Promise((resolve) => setTimeout(resolve, idleMs));
    const started = performance.now();
    insertBatch(db, 10_000 + n, 10_000 + n);
    costs.push(performance.now() - started);
  }
  db.close();
  return costs;
}

let files = 0;

function nextPath(folder: string): string {
  return join(folder, `raw-${++files}.db`);
}

/** A fresh database with the engine's schema, and a connection as the engine opens it. */
export function open(at: string): DatabaseSync {
  const path = at.endsWith(".db") ? at : nextPath(at);
  openDatabase(path, { mode: "migrate", nowMs: 0 }).close();
  return connect(path);
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA synchronous=FULL; PRAGMA cache_size=-16384");
  return db;
}

const prepared = new WeakMap<
  DatabaseSync,
  { job: ReturnType<DatabaseSync["prepare"]>; ready: ReturnType<DatabaseSync["prepare"]> }
>();

function insertBatch(db: DatabaseSync, from: number, to: number): number {
  let statements = prepared.get(db);
  if (statements === undefined) {
    statements = {
      job: db.prepare("INSERT INTO job (id, queue, rules, actor, rank, due, env) VALUES (?, 1, 1, 1, ?, ?, ?)"),
      ready: db.prepare(
        "INSERT INTO ready (queue, rank, job, run, attempt, failures, crashes, recover) VALUES (1, ?, ?, 1, 0, 0, 0, 0)",
      ),
    };
    prepared.set(db, statements);
  }
  db.exec("BEGIN IMMEDIATE");
  for (let n = from; n <= to; n++) {
    statements.job.run(n, n, n, ENV(n));
    statements.ready.run(n, n);
  }
  db.exec("COMMIT");
  return to + 1;
}

function finish(db: DatabaseSync, jobs: number, started: number): number {
  const perSecond = jobs / ((performance.now() - started) / 1_000);
  db.close();
  return perSecond;
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { open } from "./raw.ts";
import { payload } from "./setup.ts";

/** Statements of {@link rawFanOut}, prepared before the clock starts. */
type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** What the engine writes for each child, and for a batch of them. */
const SQL = {
  job: "INSERT INTO job (id, queue, rules, actor, rank, due, env) VALUES (?, 1, 1, 1, 0, 0, ?)",
  child: "INSERT INTO child (parent, run, slot, job) VALUES (0, 1, ?, ?)",
  ready:
    "INSERT INTO ready (queue, rank, job, run, attempt, failures, crashes, recover) VALUES (1, 0, ?, 1, 0, 0, 0, 0)",
  record:
    "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) VALUES (0, 1, ?, 'run', 'bench.noop', '0123456789abcdef', 0, NULL, NULL)",
  wait: "INSERT INTO wait (job, run, position, key, child) VALUES (0, 1, ?, ?, ?)",
  head: "SELECT r.rank, r.job, r.run, r.attempt, r.failures, r.crashes, r.recover, j.rules, j.actor, j.due, j.env FROM ready r JOIN job j ON j.id = r.job WHERE r.queue = 1 ORDER BY r.rank, r.job LIMIT ?",
  take: "DELETE FROM ready WHERE queue = 1 AND (rank, job) <= (0, ?)",
  lease: "INSERT OR REPLACE INTO lease (epoch, worker, at, jobs) VALUES (1, 1, 0, ?)",
  done: "INSERT INTO done (job, run, state, attempt, failures, crashes, worker, claimed, finished, result) VALUES (?, 1, 'completed', 1, 0, 0, 1, 0, 0, 'null')",
  whose: "SELECT position FROM wait WHERE child = ?",
  settle: "UPDATE record SET outcome = '{\"ok\":null}', settled = 0 WHERE job = 0 AND run = 1 AND position = ?",
  over: "DELETE FROM wait WHERE job = 0 AND run = 1 AND position = ?",
} as const;

/** Milliseconds for the rows of a fan-out of so many children and its join, in as many commits as the engine made. */
export function rawFanOut(folder: string, children: number, commits: number): number {
  const db = open(folder);
  const run = Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)])) as Statements;
  const batch = Math.ceil((children * 2) / Math.max(2, commits));
  const started = performance.now();
  for (let at = 1; at <= children; at += batch)
    commit(db, () => {
      for (let n = at; n < Math.min(at + batch, children + 1); n++) insertChild(run, n);
    });
  for (let at = 1; at <= children; at += batch) commit(db, () => endBatch(run, batch));
  const tookMs = performance.now() - started;
  db.close();
  return tookMs;
}

function insertChild(run: Statements, n: number): void {
  run.job.run(n, `{"input":${JSON.stringify(payload(n))},"parent":0,"root":0,"awaited":true}`);
  run.child.run(`at:${n}`, n);
  run.ready.run(n);
  run.record.run(n);
  run.wait.run(n, "01900000-0000-7000-8000-000000000000", n);
}

function endBatch(run: Statements, batch: number): void {
  const jobs = run.head.all(batch).map(({ job }) => Number(job));
  run.take.run(jobs.at(-1) ?? 0);
  run.lease.run(JSON.stringify(jobs.map((job) => [job, 1, 1, 0, 0])));
  for (const job of jobs) {
    run.done.run(job);
    const position = Number(run.whose.get(job)?.["position"]);
    run.settle.run(position);
    run.over.run(position);
  }
}

function commit(db: DatabaseSync, work: () => void): void {
  db.exec("BEGIN IMMEDIATE");
  work();
  db.exec("COMMIT");
}

import type { Transaction } from "../../../database/writer.ts";
import { ENTRY_COLUMNS, type Entry, GOES_ON, type RunOf } from "../rows/entry.ts";
import { readJob } from "../rows/job-row.ts";
import { type Notice, WORK } from "../rows/notice.ts";
import { insertReady } from "./admission.ts";

/** How long the worker that has a job's code in memory is preferred when the job goes on. */
const PREFERRED_MS = 50;

const SELECT_SUSPENDED = `SELECT ${ENTRY_COLUMNS}, (SELECT id FROM worker w WHERE w.id = waiting.worker AND w.stopped IS NULL) AS worker
     FROM waiting WHERE job = ? AND run = ? AND woken IS NULL`;

/** Lets a suspended run go on, though calls of it may still wait. */
export function wakeNow(tx: Transaction<Notice>, run: RunOf): void {
  const row = tx.db.get<Entry & { worker: number | null }>(SELECT_SUSPENDED, run.job, run.run);
  // Otherwise it runs, or is about to: it finds the outcome in its record.
  if (row === undefined) return;
  if (row.worker === null) {
    release(tx, row);
    return;
  }
  const untilMs = tx.nowMs + PREFERRED_MS;
  tx.db.run("UPDATE waiting SET woken = ? WHERE job = ?", untilMs, run.job);
  tx.notify(WORK);
  tx.notify({ kind: "due", atMs: untilMs });
  tx.notify({ kind: "moved", jobs: [run.job] });
}

/** Puts a run that goes on where any worker finds it. */
export function release(tx: Transaction<Notice>, entry: Entry): void {
  tx.db.run("DELETE FROM waiting WHERE job = ?", entry.job);
  const job = readJob(tx.db, entry.job);
  if (job === undefined) return;
  const { run, attempt, failures, crashes } = entry;
  // It kept its keys.
  insertReady(tx, job, { job: entry.job, run, attempt, failures, crashes, recover: GOES_ON });
  tx.notify({ kind: "moved", jobs: [entry.job] });
}

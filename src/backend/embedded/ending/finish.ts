import type { Transaction } from "../../../database/writer.ts";
import type { ErrorRecord } from "../../../error.ts";
import { assertMove, type FinalState, type JobState, type Outcome } from "../../../job/state.ts";
import { releaseKeys } from "../queue/admission.ts";
import type { Entry } from "../rows/entry.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { dropOpen } from "./drop-open.ts";
import { settleChild } from "./settle-child.ts";

/** The end of a run. */
export interface Finish {
  readonly entry: Pick<Entry, "job" | "run" | "attempt" | "failures" | "crashes">;
  readonly state: FinalState;
  readonly outcome?: Outcome;
  readonly worker?: number;
  readonly claimed?: number;
  /** JSON text. */
  readonly result?: string;
  readonly error?: ErrorRecord;
}

/** Writes the end of a run; from then on nothing moves it. */
export function recordEnd(
  tx: Transaction<Notice>,
  { entry, state, outcome, worker, claimed, result, error }: Finish,
): void {
  tx.db.run(
    "INSERT INTO done (job, run, state, outcome, attempt, failures, crashes, worker, claimed, finished, result, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    entry.job,
    entry.run,
    state,
    outcome ?? null,
    entry.attempt,
    entry.failures,
    entry.crashes,
    worker ?? null,
    claimed ?? null,
    tx.nowMs,
    result ?? null,
    error === undefined ? null : JSON.stringify(error),
  );
  tx.notify({ kind: "moved", jobs: [entry.job] });
}

/** Ends a run that some state led to, and gives its keys back. */
export function finish(tx: Transaction<Notice>, job: JobRow, from: JobState, end: Finish): void {
  assertMove(from, end.state);
  recordEnd(tx, end);
  if (job.keys.length > 0) releaseKeys(tx, job.id, job.keys);
  if (job.env.since !== undefined || job.env.approval === true) dropOpen(tx, end.entry);
  if (job.env.awaited === true) settleChild(tx, { job: job.id, run: end.entry.run, ...endText(end) });
}

function endText({ result, error }: Finish): { result: string | null; error: string | null } {
  return { result: result ?? null, error: error === undefined ? null : JSON.stringify(error) };
}

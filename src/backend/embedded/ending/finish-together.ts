import type { Transaction } from "../../../database/writer.ts";
import { assertMove, type Outcome } from "../../../job/state.ts";
import type { Entry } from "../rows/entry.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { recordEnd } from "./finish.ts";
import { settleChildren } from "./settle-child.ts";

/** A run that completed and leaves nothing to tidy: see {@link isPlain}. */
export interface PlainEnd {
  readonly entry: Pick<Entry, "job" | "run" | "attempt" | "failures" | "crashes">;
  readonly job: JobRow;
  readonly claimed: number;
  /** JSON text. */
  readonly result: string;
  readonly outcome?: Outcome;
}

/** True for a job whose end touches nothing but its own record and the calls that wait for it. */
export function isPlain({ keys, env }: JobRow): boolean {
  return keys.length === 0 && env.since === undefined && env.approval !== true;
}

/** A result is text in a JSON text here, so it is read as text; taking columns out of an array for each row costs twice as much. */
const INSERT_DONE = `INSERT INTO done (job, run, state, outcome, attempt, failures, crashes, worker, claimed, finished, result, error)
  SELECT CAST(key AS INTEGER), ?, 'completed', ?, ?, ?, ?, ?, ?, ?, value, NULL FROM json_each(?)`;

/**
 * Writes the ends of runs that one worker completed, and gives their results to those who wait for them: as one after the other
 * would, in a statement or two for all that were claimed together and one change of each parent's record.
 */
export function finishTogether(tx: Transaction<Notice>, worker: number, ends: readonly PlainEnd[]): void {
  assertMove("running", "completed");
  const sorted = ends.toSorted((a, b) => a.claimed - b.claimed);
  for (let from = 0; from < sorted.length; ) {
    const to = endOfAlike(sorted, from);
    recordAlike(tx, worker, sorted.slice(from, to));
    from = to;
  }
  const awaited = ends.filter(({ job }) => job.env.awaited === true);
  if (awaited.length > 0)
    settleChildren(
      tx,
      awaited.map(({ entry: { job, run }, result }) => ({ job, run, result, error: null })),
    );
}

/** Up to the first that differs from the one before it in more than its number and its result. */
function endOfAlike(ends: readonly PlainEnd[], from: number): number {
  const first = ends[from];
  for (let at = from; at < ends.length; at++) {
    const end = ends[at];
    if (
      end?.claimed !== first?.claimed ||
      end?.outcome !== first?.outcome ||
      end?.entry.run !== first?.entry.run ||
      end?.entry.attempt !== first?.entry.attempt ||
      end?.entry.failures !== first?.entry.failures ||
      end?.entry.crashes !== first?.entry.crashes
    )
      return at;
  }
  return ends.length;
}

function recordAlike(tx: Transaction<Notice>, worker: number, ends: readonly PlainEnd[]): void {
  const [first] = ends;
  if (first === undefined) return;
  const { entry, claimed, result, outcome } = first;
  if (ends.length === 1) {
    recordEnd(tx, {
      entry,
      state: "completed",
      worker,
      claimed,
      result,
      ...(outcome === undefined ? {} : { outcome }),
    });
    return;
  }
  const { run, attempt, failures, crashes } = entry;
  // By hand: an object whose members are numbers is put in order and hashed.
  const results = ends.map((end) => `"${end.entry.job}":${JSON.stringify(end.result)}`).join(",");
  tx.db.run(INSERT_DONE, run, outcome ?? null, attempt, failures, crashes, worker, claimed, tx.nowMs, `{${results}}`);
  tx.notify({ kind: "moved", jobs: ends.map((end) => end.entry.job) });
}

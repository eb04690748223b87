import type { Transaction } from "../../../database/writer.ts";
import type { CancelResult } from "../../backend.ts";
import { removeStanding } from "../queue/remove-standing.ts";
import { hasEffect } from "../rows/effect-row.ts";
import { addHistory } from "../rows/history-row.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import { type Notice, WORK } from "../rows/notice.ts";
import { standingOf, stateOfStanding } from "../rows/standing.ts";
import { finish } from "./finish.ts";

/**
 * Cancels a job and what it started: at once where no attempt runs, else by a request that its worker sees. The request is
 * a row, so it outlives the worker.
 */
export function cancel(
  tx: Transaction<Notice>,
  number: JobNumber,
  actor: { readonly id: number; readonly text: string },
): CancelResult {
  const job = readJob(tx.db, number);
  const standing = job === undefined ? undefined : standingOf(tx.db, job);
  if (job === undefined || standing === undefined) return { kind: "not_found" };
  if (standing.kind === "done") return { kind: "finished", state: standing.state };
  const { run, attempt, failures, crashes } = standing;
  cancelChildren(tx, number, run, actor);
  if (standing.kind === "leased" || hasEffect(tx.db, { job: number, run })) {
    // A program that outlived its worker must be ended by whoever adopts it, so that job is not cancelled until then.
    const { changes } = tx.db.run(
      // The request of an earlier run stands there until the next sweep.
      "INSERT INTO cancel_request (job, run, at, actor) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run, at = excluded.at, actor = excluded.actor WHERE run <> excluded.run",
      number,
      run,
      tx.nowMs,
      actor.id,
    );
    if (changes > 0) addHistory(tx, { job: number, run }, "cancel.requested", { actor: actor.text });
    tx.notify(WORK);
    tx.notify({ kind: "moved", jobs: [number] });
    return { kind: "requested" };
  }
  removeStanding(tx, job, standing);
  finish(tx, job, stateOfStanding(standing), {
    entry: { job: number, run, attempt, failures, crashes },
    state: "cancelled",
    error: {
      code: "CANCELLED",
      message: `cancelled by ${actor.text} ${standing.kind === "waiting" ? "while it waited" : "before it ran"}`,
    },
  });
  return { kind: "cancelled" };
}

function cancelChildren(
  tx: Transaction<Notice>,
  parent: JobNumber,
  run: number,
  actor: { readonly id: number; readonly text: string },
): void {
  // A run that continues another one answers for its children too.
  const first = readJob(tx.db, parent)?.env.first_run ?? run;
  const children = tx.db.all<{ job: number }>("SELECT job FROM child WHERE parent = ? AND run >= ?", parent, first);
  for (const { job } of children) if (readJob(tx.db, job)?.env.detached !== true) cancel(tx, job, actor);
}

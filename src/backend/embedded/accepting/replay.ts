import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { JobLimits } from "../../../job/limits.ts";
import { rankOf } from "../../../job/rank.ts";
import { type Actor, formatActor, strictest } from "../../../policy/actor.ts";
import type { ReplayResult } from "../../backend.ts";
import { newestEvent } from "../events/emit.ts";
import { admit, storeExpiry } from "../queue/admission.ts";
import { freshEntry } from "../rows/entry.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf, stateOfStanding } from "../rows/standing.ts";
import { type Fork, forkRun } from "./fork-run.ts";

/**
 * Starts the next run of a finished job: the same input and rules, counts from zero, due now. Its deadline is as long as
 * the first run's was; an expiry of unstarted work is not repeated, because somebody wants it now. The job is from now on
 * that of whoever is stricter, the one who asked for it or the one who starts it over: neither gains by the other.
 */
export function replay(
  tx: Transaction<Notice>,
  { limits, interned }: { readonly limits: JobLimits; readonly interned: Interned },
  number: JobNumber,
  { actor, from }: { readonly actor: Actor; readonly from?: string },
): ReplayResult {
  const job = readJob(tx.db, number);
  const standing = job === undefined ? undefined : standingOf(tx.db, job);
  if (job === undefined || standing === undefined) return { kind: "not_found" };
  if (standing.kind !== "done") return { kind: "unfinished", state: stateOfStanding(standing) };
  const run = standing.run + 1;
  const rank = rankOf(tx.nowMs, job.env.priority ?? 2, limits.ageMs);
  const strictestId = interned.actorId(tx.db, strictest(interned.actor(tx.db, job.actor), actor));
  tx.db.run("UPDATE job SET rank = ?, due = ?, actor = ? WHERE id = ?", rank, tx.nowMs, strictestId, number);
  const { deadline: before, expires } = job.env;
  for (const at of [before, expires])
    if (at !== undefined) tx.db.run("DELETE FROM expiry WHERE at = ? AND job = ?", at, number);
  if (job.env.deadline_ms !== undefined) {
    const deadline = tx.nowMs + job.env.deadline_ms;
    tx.db.run("UPDATE job SET env = json_set(env, '$.deadline', ?) WHERE id = ?", deadline, number);
    storeExpiry(tx, deadline, number, run, "deadline");
  }
  if (job.env.since !== undefined)
    tx.db.run(
      "UPDATE job SET env = json_set(json_remove(env, '$.first_run'), '$.since', ?) WHERE id = ?",
      newestEvent(tx),
      number,
    );
  if (from !== undefined) fork(tx, job, { job: number, from: { run: standing.run, at: from }, run });
  addHistory(tx, { job: number, run }, "run.started", {
    actor: formatActor(actor),
    after: standing.state,
    due_before: job.due,
    ...(from === undefined ? {} : { from }),
  });
  admit(tx, { queue: job.queue, rank, keys: job.keys }, freshEntry(number, run));
  tx.notify({ kind: "moved", jobs: [number] });
  return { kind: "started", runNumber: run };
}

function fork(tx: Transaction<Notice>, { env }: JobRow, given: Fork): void {
  if (env.since === undefined)
    throw new AppError("INVALID_INPUT", `from ${given.from.at}: only a durable job has a record to begin with`);
  forkRun(tx, given);
}

import type { Transaction } from "../../../database/writer.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import type { Standing } from "../rows/standing.ts";

/** Takes a run that is not leased out of the queue in which it stands. Its keys are the caller's affair. */
export function removeStanding(tx: Transaction<Notice>, job: JobRow, standing: Standing): void {
  switch (standing.kind) {
    case "ready":
      tx.db.run("DELETE FROM ready WHERE queue = ? AND rank = ? AND job = ?", job.queue, job.rank, job.id);
      break;
    case "delayed":
      tx.db.run("DELETE FROM delayed WHERE due = ? AND job = ?", standing.due, job.id);
      if (standing.reason === "rate") giveTurnBack(tx, job);
      break;
    case "blocked":
      tx.db.run("DELETE FROM blocked WHERE key = ? AND rank = ? AND job = ?", standing.key, job.rank, job.id);
      break;
    case "waiting":
      tx.db.run("DELETE FROM waiting WHERE job = ?", job.id);
      break;
    case "leased":
    case "done":
      break;
  }
}

/** The turns of those that wait behind it come no sooner, but the next to ask gets its turn and not one beyond the last. */
function giveTurnBack(tx: Transaction<Notice>, { rules, env }: JobRow): void {
  tx.db.run(
    "UPDATE rate SET horizon = horizon - (SELECT json_extract(body, '$.rate.perMs') * 1.0 / json_extract(body, '$.rate.units') FROM rules WHERE id = ?) WHERE key = ?",
    rules,
    env.rate_key ?? "",
  );
}

import type { Transaction } from "../../../database/writer.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";

/** A run that has ended waits for nothing and needs no leave any more. */
export function dropOpen(tx: Transaction<Notice>, { job, run }: RunOf): void {
  tx.db.run("DELETE FROM wait WHERE job = ? AND run = ?", job, run);
  tx.db.run(
    "UPDATE approval SET state = 'withdrawn', concluded = ? WHERE job = ? AND run = ? AND state IN ('pending', 'approved') AND used IS NULL",
    tx.nowMs,
    job,
    run,
  );
}

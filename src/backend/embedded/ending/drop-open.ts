import type { Transaction } from "../../../database/writer.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";

/** A run that has ended waits for nothing. */
export function dropWaits(tx: Transaction<Notice>, { job, run }: RunOf): void {
  tx.db.run("DELETE FROM wait WHERE job = ? AND run = ?", job, run);
}

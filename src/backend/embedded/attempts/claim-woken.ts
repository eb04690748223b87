import type { Transaction } from "../../../database/writer.ts";
import type { Claim } from "../lease/claim.ts";
import type { Epochs } from "../lease/epochs.ts";
import { ENTRY_COLUMNS, type Entry, GOES_ON } from "../rows/entry.ts";
import type { Interned } from "../rows/intern.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { makeClaims } from "./make-claims.ts";
import { mayStart } from "./start-gate.ts";

const SELECT_WOKEN = `SELECT ${ENTRY_COLUMNS} FROM waiting INDEXED BY waiting_woken WHERE woken IS NOT NULL AND worker = ? ORDER BY woken LIMIT ?`;

/** Claims the runs that go on and whose code this worker parked. */
export function claimWoken(
  tx: Transaction<Notice>,
  interned: Interned,
  epochs: Epochs,
  { worker, limit }: { readonly worker: number; readonly limit: number },
): Claim[] {
  const candidates = tx.db.all<Entry>(SELECT_WOKEN, worker, limit).flatMap((row) => {
    tx.db.run("DELETE FROM waiting WHERE job = ?", row.job);
    const job = readJob(tx.db, row.job);
    const entry = { ...row, recover: GOES_ON };
    return job !== undefined && mayStart(tx, interned, job, entry) ? [{ job, entry }] : [];
  });
  return makeClaims(tx, interned, epochs, worker, candidates);
}

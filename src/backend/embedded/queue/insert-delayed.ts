import type { Transaction } from "../../../database/writer.ts";
import { ENTRY_COLUMNS, type Entry, entryValues } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";
import type { DelayReason } from "../rows/standing.ts";

const INSERT_DELAYED = `INSERT INTO delayed (due, ${ENTRY_COLUMNS}, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Puts a run where it stays until a time. */
export function insertDelayed(tx: Transaction<Notice>, entry: Entry, due: number, reason: DelayReason): void {
  tx.db.run(INSERT_DELAYED, due, ...entryValues(entry), reason);
  tx.notify({ kind: "due", atMs: due });
  tx.notify({ kind: "moved", jobs: [entry.job] });
}

import type { PlacedCall } from "../../../attempt/durable/services.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";

/**
 * So many records stand in the tail at most, because whoever reads a record goes through all of them (0.05 ms). A commit of 64
 * runs writes 2 pages with it, and each 32nd some 70; without it each writes 64, and a step costs twice as much.
 */
export const TAIL_MAX = 2_048;

/** From so many attempts at once their records stand in the tail first; fewer of them write fewer pages without it. */
export const TAIL_FROM = 4;

/** Appends a call with its outcome where the records of all runs stand together. */
export function appendToTail(
  tx: Transaction<Notice>,
  { job, run }: RunOf,
  { position, kind, name, digest }: PlacedCall,
  outcome: string,
): void {
  const { lastInsertRowid } = tx.db.run(
    "INSERT INTO record_tail (job, run, position, kind, name, digest, at, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    job,
    run,
    position,
    kind,
    name,
    digest,
    tx.nowMs,
    outcome,
  );
  // Numbers begin again when it is empty.
  if (lastInsertRowid >= TAIL_MAX) foldTail(tx);
}

/** True when records wait to be moved. */
export function hasTail(db: Connection): boolean {
  return db.get("SELECT 1 FROM record_tail LIMIT 1") !== undefined;
}

/**
 * Moves the tail to where each run has its own pages. The fence lets one attempt record a position once; were there two, the
 * first would stand, and the others not stop all runs.
 */
export const FOLD_TAIL = `INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome)
   SELECT job, run, position, kind, name, digest, at, at, outcome FROM record_tail WHERE true ORDER BY job, run, position, id
   ON CONFLICT DO NOTHING;
   DELETE FROM record_tail`;

/** See {@link FOLD_TAIL}. */
export function foldTail(tx: Transaction<Notice>): void {
  tx.db.exec(FOLD_TAIL);
}

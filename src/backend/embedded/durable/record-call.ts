import type { PlacedCall } from "../../../attempt/durable/services.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { keptWith, type RecordedFile, readOutcome } from "../../../job/durable/outcome.ts";
import type { CallKind, RecordedCall } from "../../../job/durable/record.ts";
import { holdValue, loadText } from "../files/stored-text.ts";
import { checkLease } from "../lease/lease.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";
import { appendToTail } from "./record-tail.ts";

/** Appends a call to the record. @param outcome as it is stored; `null` while the call waits. */
export function insertRecord(
  tx: Transaction<Notice>,
  { job, run }: RunOf,
  { position, kind, name, digest }: PlacedCall,
  outcome: string | null,
): void {
  tx.db.run(
    "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    job,
    run,
    position,
    kind,
    name,
    digest,
    tx.nowMs,
    outcome === null ? null : tx.nowMs,
    outcome,
  );
  if (outcome !== null) holdValue(tx, job, outcome);
}

/**
 * Records a call together with its outcome, under the attempt's lease.
 *
 * @param again an earlier try may have been committed after all.
 * @param crowded many runs record something at this time.
 * @throws AppError `LEASE_LOST`.
 */
export function recordCall(
  tx: Transaction<Notice>,
  { epoch, entry }: { readonly epoch: number; readonly entry: RunOf },
  call: PlacedCall,
  {
    outcome,
    again,
    crowded = false,
  }: { readonly outcome: string; readonly again: boolean; readonly crowded?: boolean },
): void {
  checkLease(tx, epoch);
  if (again && isRecorded(tx.db, entry, call.position)) return;
  if (!crowded) {
    insertRecord(tx, entry, call, outcome);
    return;
  }
  appendToTail(tx, entry, call, outcome);
  holdValue(tx, entry.job, outcome);
}

/** True when the record has this position. */
export function isRecorded(db: Connection, { job, run }: RunOf, position: number): boolean {
  return db.get("SELECT 1 FROM recorded WHERE job = ? AND run = ? AND position = ?", job, run, position) !== undefined;
}

/** The outcome at a position as it is stored; `null` while the call waits. */
export function storedOutcome(db: Connection, { job, run }: RunOf, position: number): string | null | undefined {
  return db.get<{ outcome: string | null }>(
    "SELECT outcome FROM recorded WHERE job = ? AND run = ? AND position = ?",
    job,
    run,
    position,
  )?.outcome;
}

/** The record of a run from a position on, in order. Outcomes are read when they are asked for. */
export function readRecords(db: Connection, { job, run }: RunOf, from: number): RecordedCall[] {
  return db
    .lists<[position: number, kind: CallKind, name: string, digest: string, outcome: string | null]>(
      "SELECT position, kind, name, digest, outcome FROM recorded WHERE job = ? AND run = ? AND position >= ? ORDER BY position",
      job,
      run,
      Math.min(from, Number.MAX_SAFE_INTEGER),
    )
    .map((row) => {
      const stored = row[4];
      return {
        position: row[0],
        kind: row[1],
        name: row[2],
        digest: row[3],
        outcome: () => (stored === null ? undefined : readOutcome(loadText(stored))),
      };
    });
}

/** The files that recorded steps of a run kept, in the order of their positions. */
export function readKept(db: Connection, { job, run }: RunOf): readonly RecordedFile[] {
  return db
    .all<{ outcome: string }>(
      "SELECT outcome FROM recorded WHERE job = ? AND run = ? AND kind = 'step' AND (outcome LIKE '%\"kept\":%' OR outcome LIKE '{\"at\":%') ORDER BY position",
      job,
      run,
    )
    .flatMap(({ outcome }) => keptWith(loadText(outcome)));
}

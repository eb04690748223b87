import type { Transaction } from "../../../database/writer.ts";
import { holdValue } from "../files/stored-text.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";
import { wakeNow } from "./wake-run.ts";

/** Writes what an open call came to, and lets its run go on when nothing else is left to wait for. */
export function settleCall(tx: Transaction<Notice>, run: RunOf, position: number, outcome: string): void {
  if (writeOutcome(tx, run, position, outcome)) wake(tx, run);
}

/**
 * Writes what several open calls of one run came to. One statement for all their rows takes as long: SQLite reads the whole record
 * for it, or looks each value up in a text.
 *
 * @param outcomes by position.
 */
export function settleCalls(tx: Transaction<Notice>, run: RunOf, outcomes: ReadonlyMap<number, string>): void {
  let settled = false;
  for (const [position, outcome] of outcomes) settled = writeOutcome(tx, run, position, outcome) || settled;
  if (settled) wake(tx, run);
}

/** False when the call had been answered. */
function writeOutcome(tx: Transaction<Notice>, { job, run }: RunOf, position: number, outcome: string): boolean {
  const { changes } = tx.db.run(
    "UPDATE record SET outcome = ?, settled = ? WHERE job = ? AND run = ? AND position = ? AND outcome IS NULL",
    outcome,
    tx.nowMs,
    job,
    run,
    position,
  );
  tx.db.run("DELETE FROM wait WHERE job = ? AND run = ? AND position = ?", job, run, position);
  if (changes > 0) holdValue(tx, job, outcome);
  return changes > 0;
}

/** True while a call of the run waits for something. */
export function hasWaits(tx: Transaction<Notice>, { job, run }: RunOf): boolean {
  return tx.db.get("SELECT 1 FROM wait WHERE job = ? AND run = ? LIMIT 1", job, run) !== undefined;
}

/** True while somebody decided on what a call of the run asks, and nobody has looked at it. */
export function hasDecision(tx: Transaction<Notice>, { job, run }: RunOf): boolean {
  return tx.db.get("SELECT 1 FROM wait WHERE job = ? AND run = ? AND decided = 1 LIMIT 1", job, run) !== undefined;
}

function wake(tx: Transaction<Notice>, run: RunOf): void {
  if (!hasWaits(tx, run)) wakeNow(tx, run);
}

import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** A new run that begins with what an earlier one recorded. */
export interface Fork {
  readonly job: JobNumber;
  readonly from: { readonly run: number; readonly at: string };
  readonly run: number;
}

const PLACES_SAID = 20;

interface Row {
  readonly position: number;
  readonly kind: string;
  readonly name: string;
  readonly open: number;
}

/**
 * Copies the record of a run up to a position, which is made again: named by its number or by its name. The number
 * behind the last one keeps the whole record.
 *
 * @throws AppError `INVALID_INPUT` for a place that the record does not have, or that lies behind an open call or an approval.
 */
export function forkRun(tx: Transaction<Notice>, { job, from, run }: Fork): void {
  const rows = tx.db.all<Row>(
    "SELECT position, kind, name, outcome IS NULL AS open FROM recorded WHERE job = ? AND run = ? ORDER BY position",
    job,
    from.run,
  );
  const position = findPosition(rows, from.at);
  const kept = rows.filter((row) => row.position < position);
  const open = kept.find((row) => row.open === 1);
  if (open !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `from ${from.at}: the call at position ${open.position} before it has no outcome`,
    );
  const approval = kept.find(({ kind }) => kind === "approve");
  if (approval !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `from ${from.at}: position ${approval.position} before it is an approval, which is good for one run; give a position up to ${approval.position}`,
    );
  tx.db.run(
    `INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome)
     SELECT job, ?, position, kind, name, digest, at, settled, outcome FROM recorded WHERE job = ? AND run = ? AND position < ?`,
    run,
    job,
    from.run,
    position,
  );
}

function findPosition(rows: readonly Row[], at: string): number {
  const found = rows.filter((row) => row.name === at || (/^\d+$/.test(at) && row.position === Number(at)));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first.position;
  if (second !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `from ${at}: the record has it at the positions ${found.map(({ position }) => position).join(", ")}; give one of them`,
    );
  // Behind the last call: all of it is kept, for code that failed there and was mended.
  const end = (rows.at(-1)?.position ?? 0) + 1;
  if (rows.length > 0 && at === String(end)) return end;
  throw new AppError(
    "INVALID_INPUT",
    `from ${JSON.stringify(at)}: the record of the last run has no such position or name; ${sayPlaces(rows, end)}`,
  );
}

function sayPlaces(rows: readonly Row[], end: number): string {
  if (rows.length === 0) return "it has none";
  const names = rows
    .slice(0, PLACES_SAID)
    .map(({ position, kind, name }) => `${position} (${kind}${name === "" ? "" : ` ${name}`})`);
  const more = rows.length > names.length ? ` and ${rows.length - names.length} more` : "";
  return `it has ${names.join(", ")}${more}; ${end} keeps all of it`;
}

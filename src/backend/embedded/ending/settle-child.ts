import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keptPath } from "../../../artifact/attempt-folder.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { ErrorRecord } from "../../../error.ts";
import { writeError, writeValue } from "../../../job/durable/outcome.ts";
import { storeValue } from "../files/store-value.ts";
import { settleCall, settleCalls } from "../queue/waits.ts";
import type { RunOf } from "../rows/entry.ts";
import type { JobNumber } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";

/** How a child ended. */
export interface ChildEnd {
  readonly job: JobNumber;
  readonly run: number;
  /** As `done` has them. */
  readonly result: string | null;
  readonly error: string | null;
}

/** Gives a parent that waits what its child came to. */
export function settleChild(tx: Transaction<Notice>, end: ChildEnd): void {
  const waits = tx.db.all<{ job: number; run: number; position: number; key: string }>(
    "SELECT job, run, position, key FROM wait WHERE child = ?",
    end.job,
  );
  for (const { key: childId, ...wait } of waits) settleCall(tx, wait, wait.position, outcomeOf(tx.db, end, childId));
}

/** One row for each call that waits for one of several jobs. */
const SELECT_WAITS =
  "SELECT w.job, w.run, w.position, w.key, w.child FROM json_each(?) e CROSS JOIN wait w ON w.child = e.value ORDER BY w.job, w.run";

type WaitRow = [job: JobNumber, run: number, position: number, key: string, child: JobNumber];

/** As {@link settleChild} for each, with one change of each parent's record. */
export function settleChildren(tx: Transaction<Notice>, ends: readonly ChildEnd[]): void {
  const byJob = new Map(ends.map((end) => [end.job, end]));
  const waits = tx.db.lists<WaitRow>(SELECT_WAITS, JSON.stringify([...byJob.keys()]));
  let parent: RunOf | undefined;
  let outcomes = new Map<number, string>();
  for (const [job, run, position, key, child] of waits) {
    if (parent?.job !== job || parent.run !== run) {
      if (parent !== undefined) settleCalls(tx, parent, outcomes);
      parent = { job, run };
      outcomes = new Map();
    }
    const end = byJob.get(child);
    if (end !== undefined) outcomes.set(position, outcomeOf(tx.db, end, key));
  }
  if (parent !== undefined) settleCalls(tx, parent, outcomes);
}

function outcomeOf(db: Connection, end: ChildEnd, childId: string): string {
  if (end.error !== null) {
    const error = readJson<ErrorRecord>(end.error, `error of job ${childId}`);
    return writeError({ ...error, details: { ...error.details, job_id: childId } });
  }
  const large = largeResult(end.result);
  return large === undefined ? writeValue(end.result ?? "null") : copyLarge(db, end, childId, large);
}

/** A result that is too large for the database is a kept file of the child; the parent's record has its own copy. */
function copyLarge(db: Connection, { job, run }: ChildEnd, childId: string, path: string): string {
  const row = db.get<{ root: string; folder: string }>(
    "SELECT root, folder FROM manifest WHERE job = ? AND run = ?",
    job,
    run,
  );
  if (row === undefined)
    return writeError({ code: "ARTIFACT_MISSING", message: `the result of job ${childId}, ${path}, is gone` });
  const text = writeValue(readFirst(join(row.root, row.folder, path), join(row.root, keptPath(childId, run), path)));
  const at = storeValue(row.root, text, { inlineBytes: 0, valueBytes: Number.POSITIVE_INFINITY });
  return JSON.stringify({ at });
}

function readFirst(first: string, second: string): string {
  try {
    return readFileSync(first, "utf8");
  } catch {
    return readFileSync(second, "utf8");
  }
}

function largeResult(text: string | null): string | undefined {
  if (text === null || !text.startsWith('{"$artifact":')) return undefined;
  const value = readJson<{ $artifact?: unknown; sha256?: unknown }>(text, "result");
  return typeof value.$artifact === "string" && typeof value.sha256 === "string" ? value.$artifact : undefined;
}

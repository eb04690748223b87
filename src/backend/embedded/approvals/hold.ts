import type { Transaction } from "../../../database/writer.ts";
import type { JobQuestion } from "../../acceptance.ts";
import { finish } from "../ending/finish.ts";
import { insertReady } from "../queue/admission.ts";
import { place } from "../queue/place.ts";
import { ENTRY_COLUMNS, type Entry, entryValues } from "../rows/entry.ts";
import { addHistory } from "../rows/history-row.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { type ApprovalParts, insertApproval } from "./approval-row.ts";

/** Whose leave is asked for, and who asks for it. */
export interface Holding {
  readonly entry: Entry;
  readonly actor: number;
  readonly question: JobQuestion;
  /** When the job is due, where that is later. */
  readonly dueAtMs: number;
}

/** Asks for leave before a run starts, or goes on: the job waits from now on. Returns the approval's id. */
export function holdForLeave(
  tx: Transaction<Notice>,
  parts: ApprovalParts,
  { entry, actor, question, dueAtMs }: Holding,
): string {
  const { title, details, terms, expiresInMs } = question;
  // Leave for a job that is due next week must not be over before.
  const expiresAtMs = Math.max(tx.nowMs, dueAtMs) + expiresInMs;
  const subject = { job: entry.job, run: entry.run, position: 0 };
  const approvalId = insertApproval(tx, parts, { ...subject, title, details, actor, terms, expiresAtMs });
  addHistory(tx, entry, "approval.asked", {
    approval_id: approvalId,
    position: 0,
    ...terms,
    expires_at: new Date(expiresAtMs).toISOString(),
  });
  hold(tx, entry, { approvalId, expiresAtMs });
  return approvalId;
}

/** The job waits for an approval that was asked for. */
export function hold(
  tx: Transaction<Notice>,
  entry: Entry,
  { approvalId, expiresAtMs }: { readonly approvalId: string; readonly expiresAtMs: number },
): void {
  // Past the time itself: until then a decision is in time.
  const due = expiresAtMs + 1;
  tx.db.run(
    `INSERT INTO waiting (${ENTRY_COLUMNS}, since, worker, woken) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)`,
    ...entryValues(entry),
    tx.nowMs,
  );
  tx.db.run(
    "INSERT INTO wait (job, run, position, due, approval) VALUES (?, ?, 0, ?, ?)",
    entry.job,
    entry.run,
    due,
    approvalId,
  );
  tx.notify({ kind: "due", atMs: due });
  tx.notify({ kind: "moved", jobs: [entry.job] });
}

/** The run of a job that waits for leave is taken out of its place; `undefined` when it does not stand there. */
export function takeHeld(
  tx: Transaction<Notice>,
  job: JobNumber,
  run: number,
): { readonly row: JobRow; readonly entry: Entry } | undefined {
  const held = tx.db.get("SELECT 1 FROM wait WHERE job = ? AND run = ? AND position = 0", job, run) !== undefined;
  const entry = tx.db.get<Entry>(`SELECT ${ENTRY_COLUMNS} FROM waiting WHERE job = ? AND run = ?`, job, run);
  const row = readJob(tx.db, job);
  if (!held || entry === undefined || row === undefined) return undefined;
  tx.db.run("DELETE FROM wait WHERE job = ? AND run = ? AND position = 0", job, run);
  tx.db.run("DELETE FROM waiting WHERE job = ?", job);
  tx.notify({ kind: "moved", jobs: [job] });
  return { row, entry };
}

/** Lets a job go on that waited for leave. One that never started takes its keys now; one that did has kept them. */
export function letGo(tx: Transaction<Notice>, job: JobNumber, run: number): void {
  const held = takeHeld(tx, job, run);
  if (held === undefined) return;
  const { row, entry } = held;
  if (entry.attempt > 0) {
    insertReady(tx, row, entry);
    return;
  }
  const placement = place(tx, row, entry);
  if (placement.kind === "placed") return;
  const error = { code: "CANCELLED", message: placement.message };
  finish(tx, row, "waiting", { entry, state: "cancelled", error });
}

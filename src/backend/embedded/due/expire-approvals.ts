import type { Transaction } from "../../../database/writer.ts";
import type { Question } from "../approvals/approval-row.ts";
import { takeHeld } from "../approvals/hold.ts";
import { lookAgain } from "../approvals/store-decision.ts";
import { finish } from "../ending/finish.ts";
import type { Notice } from "../rows/notice.ts";

/** Ends the waits for approvals whose time is over; returns true when there may be more. */
export function expireApprovals(tx: Transaction<Notice>, limit: number): boolean {
  const due = tx.db.all<Question & { approval: string; due: number }>(
    "SELECT job, run, position, approval, due FROM wait WHERE due <= ? AND approval IS NOT NULL ORDER BY due LIMIT ?",
    tx.nowMs,
    limit,
  );
  for (const { approval, due: at, ...question } of due) {
    tx.db.run(
      "UPDATE approval SET state = 'expired', concluded = ? WHERE id = ? AND state IN ('pending', 'approved') AND used IS NULL",
      tx.nowMs,
      approval,
    );
    if (question.position > 0) lookAgain(tx, question);
    else endExpired(tx, question, { approval, atMs: at - 1 });
  }
  return due.length === limit;
}

function endExpired(
  tx: Transaction<Notice>,
  { job, run }: Question,
  { approval, atMs }: { readonly approval: string; readonly atMs: number },
): void {
  const held = takeHeld(tx, job, run);
  if (held === undefined) return;
  finish(tx, held.row, "waiting", {
    entry: held.entry,
    state: "expired",
    error: {
      code: "APPROVAL_EXPIRED",
      message: `nobody approved it before ${new Date(atMs).toISOString()} (approval ${approval})`,
    },
  });
}

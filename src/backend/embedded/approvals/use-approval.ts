import { isDeepStrictEqual } from "node:util";
import type { Approval, ApprovalTerms } from "../../../approval/approval.ts";
import type { Judgement, Refusal } from "../../../approval/judgement.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";
import { type ApprovalParts, approvalById, type Question } from "./approval-row.ts";
import { setState } from "./store-decision.ts";

/** An approval as it was judged, outside the transaction that acts on it. */
export interface Judged {
  readonly question: Question;
  readonly approval: Approval;
  readonly terms: ApprovalTerms;
  readonly judgement: Judgement;
  /** History rows that the job may have. */
  readonly rowsMax: number;
}

/** True when nothing was decided since it was judged. */
export function isUnchanged(tx: Transaction<Notice>, parts: ApprovalParts, { approval }: Judged): boolean {
  return isDeepStrictEqual(approvalById(tx.db, parts, approval.approvalId), approval);
}

/** The job goes on by it: from now on it can be taken back no more. */
export function markUsed(
  tx: Transaction<Notice>,
  judged: Judged,
  { decidedBy, level }: Extract<Judgement, { kind: "approved" }>,
): void {
  const { approval, question } = judged;
  tx.db.run(
    "UPDATE approval SET state = 'approved', concluded = coalesce(concluded, ?1), used = ?1 WHERE id = ?2 AND used IS NULL",
    tx.nowMs,
    approval.approvalId,
  );
  sayRefusals(tx, judged);
  addHistory(tx, question, "approval.used", {
    approval_id: approval.approvalId,
    position: question.position,
    by: decidedBy,
    level,
  });
}

/** What woke the job was not enough, by the terms that hold here: it may be decided on further. */
export function openAgain(tx: Transaction<Notice>, judged: Judged): void {
  const { approval, terms } = judged;
  if (approval.state !== "pending") setState(tx, approval.approvalId, "pending");
  // It went on by it once, and what was given then does not count any more.
  if (approval.usedAtMs !== null) tx.db.run("UPDATE approval SET used = NULL WHERE id = ?", approval.approvalId);
  if (!isDeepStrictEqual(terms, approval.terms))
    tx.db.run("UPDATE approval SET terms = ? WHERE id = ?", JSON.stringify(terms), approval.approvalId);
  sayRefusals(tx, judged);
}

/** Leave was not given. */
export function markRefused(tx: Transaction<Notice>, judged: Judged, state: "rejected" | "revoked" | "expired"): void {
  setState(tx, judged.approval.approvalId, state);
  sayRefusals(tx, judged);
}

/** The error of a job that people did not let run. */
export function refusedLeave(
  { approvalId }: Approval,
  { kind, decidedBy, reason }: Extract<Judgement, { kind: "rejected" | "revoked" }>,
): AppError {
  const who = decidedBy.join(", ");
  const why = reason === "" ? "" : `: ${reason}`;
  return kind === "rejected"
    ? new AppError("APPROVAL_REJECTED", `${who} rejected it (approval ${approvalId})${why}`)
    : new AppError("APPROVAL_REVOKED", `${who} took the approval ${approvalId} back${why}`);
}

function sayRefusals(tx: Transaction<Notice>, { question, approval, judgement, rowsMax }: Judged): void {
  // One that waits on is judged again at each look: only what was decided since is news.
  if (approval.state === "pending") return;
  for (const refusal of judgement.refusals) sayRefusal(tx, { ...question, rowsMax }, approval.approvalId, refusal);
}

function sayRefusal(
  tx: Transaction<Notice>,
  owner: Question & { readonly rowsMax: number },
  approvalId: string,
  { principal, decision, code, message }: Refusal,
): void {
  addHistory(tx, owner, "approval.refused", {
    approval_id: approvalId,
    position: owner.position,
    decision,
    by: principal,
    error: { code, message },
  });
}

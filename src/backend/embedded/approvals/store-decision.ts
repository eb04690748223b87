import type { Approval, ApprovalState, SignedDecision } from "../../../approval/approval.ts";
import { hasDecided, isOpenTo } from "../../../approval/still-open.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { ErrorRecord } from "../../../error.ts";
import type { DecideResult } from "../../approvals.ts";
import { finish } from "../ending/finish.ts";
import { removeStanding } from "../queue/remove-standing.ts";
import { wakeNow } from "../queue/wake-run.ts";
import { addHistory } from "../rows/history-row.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf, stateOfStanding } from "../rows/standing.ts";
import { type ApprovalParts, approvalById, type Question } from "./approval-row.ts";
import { letGo, takeHeld } from "./hold.ts";

/**
 * Stores a decision and lets go on what waited for it. What the rows amount to here is a hint only: whoever goes on
 * judges them again.
 */
export function storeDecision(
  tx: Transaction<Notice>,
  parts: ApprovalParts,
  approvalId: string,
  decision: SignedDecision,
): DecideResult {
  const approval = approvalById(tx.db, parts, approvalId);
  const question = questionOf(tx, approvalId);
  if (approval === undefined || question === undefined) return { kind: "not_found" };
  const refused = closedTo(tx, approval, decision);
  if (refused !== undefined) return refused;
  insertDecision(tx, approval, decision);
  const state = stateAfter(approval, decision);
  addHistory(tx, question, "approval.decided", {
    approval_id: approvalId,
    position: question.position,
    decision: decision.decision,
    by: decision.principal,
    ...(decision.reason === "" ? {} : { reason: decision.reason }),
    approval: state,
  });
  if (state !== approval.state) moveOn(tx, { approvalId, question, state, decision });
  return { kind: "stored", state };
}

function questionOf(tx: Transaction<Notice>, approvalId: string): Question | undefined {
  return tx.db.get<Question>("SELECT job, run, position FROM approval WHERE id = ?", approvalId);
}

/** Who may decide was found out by the caller; this is whether there is anything left to decide. */
function closedTo(
  tx: Transaction<Notice>,
  approval: Approval,
  { decision, principal }: SignedDecision,
): DecideResult | undefined {
  const { state, usedAtMs, expiresAtMs } = approval;
  const used = usedAtMs !== null;
  if (!isOpenTo(approval, decision)) return { kind: "closed", state, used };
  // Its time is over, and no worker has seen it yet.
  if (tx.nowMs > expiresAtMs) return { kind: "closed", state: "expired", used };
  return decision !== "revoked" && hasDecided(approval, principal) ? { kind: "repeated" } : undefined;
}

function insertDecision(tx: Transaction<Notice>, approval: Approval, signed: SignedDecision): void {
  const { principal, decision, reason, decidedAtMs, statement, signature } = signed;
  tx.db.run(
    `INSERT INTO decision (approval, seq, principal, decision, reason, at, statement, signature)
     SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM decision WHERE approval = ?1`,
    approval.approvalId,
    principal,
    decision,
    reason,
    decidedAtMs,
    statement,
    signature,
  );
}

function stateAfter({ decisions, terms }: Approval, made: SignedDecision): ApprovalState {
  if (made.decision !== "approved") return made.decision;
  const approving = [...decisions, made].filter(({ decision }) => decision === "approved");
  return new Set(approving.map(({ principal }) => principal)).size >= terms.quorum ? "approved" : "pending";
}

interface Moved {
  readonly approvalId: string;
  readonly question: Question;
  readonly state: ApprovalState;
  readonly decision: SignedDecision;
}

function moveOn(tx: Transaction<Notice>, { approvalId, question, state, decision }: Moved): void {
  setState(tx, approvalId, state);
  const { job, run, position } = question;
  if (position > 0) lookAgain(tx, question);
  else if (state === "approved") letGo(tx, job, run);
  else endRefused(tx, question, errorOf(approvalId, decision));
}

/** Writes where an approval stands. */
export function setState(tx: Transaction<Notice>, approvalId: string, state: ApprovalState): void {
  tx.db.run(
    "UPDATE approval SET state = ?, concluded = ? WHERE id = ?",
    state,
    state === "pending" ? null : tx.nowMs,
    approvalId,
  );
}

/** A run goes on to judge what stands at one of its calls, whatever else it waits for. */
export function lookAgain(tx: Transaction<Notice>, { job, run, position }: Question): void {
  const { changes } = tx.db.run(
    "UPDATE wait SET decided = 1, due = NULL WHERE job = ? AND run = ? AND position = ? AND approval IS NOT NULL",
    job,
    run,
    position,
  );
  if (changes > 0) wakeNow(tx, { job, run });
}

/** Ends a job that may not start: at once, unless it is claimed already; then its worker finds the decision. */
function endRefused(tx: Transaction<Notice>, { job, run }: Question, error: ErrorRecord): void {
  const held = takeHeld(tx, job, run);
  if (held !== undefined) {
    finish(tx, held.row, "waiting", { entry: held.entry, state: "failed", error });
    return;
  }
  const row = readJob(tx.db, job);
  const standing = row === undefined ? undefined : standingOf(tx.db, row);
  if (row === undefined || standing === undefined || standing.run !== run) return;
  if (standing.kind === "done" || standing.kind === "leased" || standing.attempt > 0) return;
  removeStanding(tx, row, standing);
  const { attempt, failures, crashes } = standing;
  const entry = { job, run, attempt, failures, crashes };
  finish(tx, row, stateOfStanding(standing), { entry, state: "failed", error });
}

function errorOf(approvalId: string, { decision, principal, reason }: SignedDecision): ErrorRecord {
  const why = reason === "" ? "" : `: ${reason}`;
  return decision === "revoked"
    ? { code: "APPROVAL_REVOKED", message: `${principal} took the approval ${approvalId} back${why}` }
    : { code: "APPROVAL_REJECTED", message: `${principal} rejected it (approval ${approvalId})${why}` };
}

import type { Approval, ApprovalDemand } from "../../../approval/approval.ts";
import type { Judgement } from "../../../approval/judgement.ts";
import type { Issued, PlacedCall } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { ApproveRequest } from "../../../job/durable/approve-options.ts";
import type { ApproveOutcome } from "../../../job/durable/approve-outcome.ts";
import { writeValue } from "../../../job/durable/outcome.ts";
import { type ApprovalParts, insertApproval, type Question } from "../approvals/approval-row.ts";
import { isUnchanged, type Judged, markRefused, markUsed, openAgain } from "../approvals/use-approval.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease } from "../lease/lease.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";
import { insertRecord } from "./record-call.ts";

type Answered = Exclude<Issued, { kind: "cancelled" }>;
const OPEN: Answered = { kind: "open", suspended: false };

/** A call that asks people for the first time. */
export interface Asking {
  readonly claim: Claim;
  readonly call: PlacedCall;
  readonly request: ApproveRequest;
  readonly demand: ApprovalDemand;
}

/** Records the call together with its question. @throws AppError `LEASE_LOST`. */
export function askPeople(
  tx: Transaction<Notice>,
  parts: ApprovalParts,
  { claim, call, request, demand }: Asking,
): Answered {
  checkLease(tx, claim.epoch);
  const { entry, job } = claim;
  const question = { job: entry.job, run: entry.run, position: call.position };
  const { title, details } = request;
  const { terms, expiresInMs } = demand;
  const expiresAtMs = tx.nowMs + expiresInMs;
  insertRecord(tx, entry, call, null);
  const approvalId = insertApproval(tx, parts, { ...question, title, details, actor: job.actor, terms, expiresAtMs });
  waitFor(tx, question, { approvalId, expiresAtMs });
  addHistory(tx, question, "approval.asked", {
    approval_id: approvalId,
    position: call.position,
    ...terms,
    expires_at: new Date(expiresAtMs).toISOString(),
  });
  return OPEN;
}

/**
 * Records what people's decisions come to; where they do not come to enough, the call waits on. When somebody decided since
 * they were judged nothing is done, and that is still to be looked at.
 *
 * @throws AppError `LEASE_LOST`.
 */
export function answerCall(
  tx: Transaction<Notice>,
  parts: ApprovalParts,
  { epoch }: Pick<Claim, "epoch">,
  judged: Judged,
): Answered {
  checkLease(tx, epoch);
  if (!isUnchanged(tx, parts, judged)) return OPEN;
  const { question, approval, judgement } = judged;
  if (judgement.kind === "pending") {
    openAgain(tx, judged);
    waitFor(tx, question, approval);
    return OPEN;
  }
  const outcome = writeValue(JSON.stringify(outcomeOf(approval, judgement)));
  tx.db.run(
    "UPDATE record SET outcome = ?, settled = ? WHERE job = ? AND run = ? AND position = ? AND outcome IS NULL",
    outcome,
    tx.nowMs,
    question.job,
    question.run,
    question.position,
  );
  tx.db.run(
    "DELETE FROM wait WHERE job = ? AND run = ? AND position = ?",
    question.job,
    question.run,
    question.position,
  );
  if (judgement.kind === "approved") markUsed(tx, judged, judgement);
  else markRefused(tx, judged, judgement.kind);
  return { kind: "settled", outcome };
}

/** What a judgement is in the record. */
export function outcomeOf(
  { approvalId }: Pick<Approval, "approvalId">,
  judgement: Exclude<Judgement, { kind: "pending" }>,
): ApproveOutcome {
  const said =
    judgement.kind === "expired"
      ? { decided_by: [], reason: "", level: null, decided_at: null }
      : {
          decided_by: [...judgement.decidedBy],
          reason: judgement.reason,
          level: judgement.level,
          decided_at: judgement.decidedAtMs,
        };
  return { approval_id: approvalId, decision: judgement.kind, ...said };
}

function waitFor(
  tx: Transaction<Notice>,
  { job, run, position }: Question,
  { approvalId, expiresAtMs }: Pick<Approval, "approvalId" | "expiresAtMs">,
): void {
  // Until then a decision is in time.
  const due = expiresAtMs + 1;
  tx.db.run(
    `INSERT INTO wait (job, run, position, due, approval) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET due = excluded.due, decided = NULL`,
    job,
    run,
    position,
    due,
    approvalId,
  );
  tx.notify({ kind: "due", atMs: due });
}

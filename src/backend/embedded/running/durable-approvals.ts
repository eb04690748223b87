import type { Approval, ApprovalDemand } from "../../../approval/approval.ts";
import type { Judgement } from "../../../approval/judgement.ts";
import { checkSubject } from "../../../approval/same-subject.ts";
import type { PlacedCall } from "../../../attempt/durable/services.ts";
import { AppError, isAppError } from "../../../error.ts";
import type { ApproveRequest } from "../../../job/durable/approve-options.ts";
import { type ApproveOutcome, readApproveOutcome } from "../../../job/durable/approve-outcome.ts";
import type { CallOutcome } from "../../../job/durable/record.ts";
import { approvalOf, type Question, subjectOf } from "../approvals/approval-row.ts";
import { type Judged, refusedLeave } from "../approvals/use-approval.ts";
import { outcomeOf } from "../durable/answer-call.ts";
import type { Claim } from "../lease/claim.ts";
import { judgeHere } from "./judge-here.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** What people's answers to calls of one attempt are looked at with. */
export interface PeopleParts {
  readonly parts: WorkerParts;
  readonly claim: Claim;
}

/** What a call asks for, by its own terms and the policy. @throws AppError `APPROVER_UNKNOWN`. */
export function demandOf({ parts, claim }: PeopleParts, request: ApproveRequest, isNew: boolean): ApprovalDemand {
  const { db, interned, options } = parts;
  const { approvers, quorum, level, expiresInMs } = request;
  const { type, requires } = interned.queue(db, claim.job.queue);
  return options.demandOf({
    actor: interned.actor(db, claim.job.actor),
    type,
    labels: requires,
    wanted: { terms: { approvers, quorum, level }, expiresInMs },
    isNew,
  });
}

/**
 * Judges what people decided so far about a call; `undefined` when nobody was asked.
 *
 * @throws AppError `APPROVAL_ALTERED`, `APPROVER_UNKNOWN`, `APPROVAL_UNVERIFIED`.
 */
export async function judgeCall(
  people: PeopleParts,
  call: PlacedCall,
  request: ApproveRequest,
): Promise<Judged | undefined> {
  const { parts, claim } = people;
  const { db, interned } = parts;
  const question: Question = { job: claim.entry.job, run: claim.entry.run, position: call.position };
  const approval = db.snapshot(() => approvalOf(db, parts, question));
  if (approval === undefined) return undefined;
  const { title, details } = request;
  checkSubject(approval, subjectOf(parts, question, title, details), interned.actor(db, claim.job.actor));
  const { terms } = demandOf(people, request, false);
  const judgement = await judgeHere(parts, approval, terms);
  return { question, approval, terms, judgement, rowsMax: claim.rules.historyRowsMax };
}

/**
 * Verifies what the record says that people gave: it, the decisions and the policy may have been changed since.
 *
 * @returns the error with which the run ends.
 * @throws AppError `APPROVAL_UNVERIFIED`: that could not be told.
 */
export async function confirmCall(
  people: PeopleParts,
  call: PlacedCall,
  request: ApproveRequest,
  recorded: CallOutcome,
): Promise<AppError | undefined> {
  if (recorded.kind === "error") return undefined;
  const outcome = readApproveOutcome(recorded);
  if (outcome === undefined) return altered(call, "the record has what no approval comes to");
  // A no gives nobody anything.
  if (outcome.decision !== "approved") return undefined;
  try {
    const judged = await judgeCall(people, call, request);
    return judged === undefined ? altered(call, "the approval is gone") : compare(call, judged, outcome);
  } catch (error) {
    if (isAppError(error) && (error.code === "APPROVAL_ALTERED" || error.code === "APPROVER_UNKNOWN")) return error;
    throw error;
  }
}

function compare(call: PlacedCall, { approval, judgement }: Judged, outcome: ApproveOutcome): AppError | undefined {
  if (approval.approvalId !== outcome.approval_id || approval.usedAtMs === null)
    return altered(call, `the job never went on by the approval ${approval.approvalId}`);
  if (judgement.kind !== "approved") return noLonger(call, approval, judgement);
  const now = outcomeOf(approval, judgement);
  if (outcome.level === "enforced" && now.level === "advisory")
    return new AppError(
      "APPROVAL_LEVEL",
      `${where(call)}: approval ${approval.approvalId} was enforced, and is advisory here: ${judgement.reasons.join("; ")}`,
    );
  // Whose decision counts no more is still named in the record.
  const counted = judgement.refusals.length > 0;
  const same = counted || (isSame(outcome, now) && outcome.decided_by.length > 0);
  return same
    ? undefined
    : altered(call, `the record does not say what was signed for approval ${approval.approvalId}`);
}

function isSame(a: ApproveOutcome, b: ApproveOutcome): boolean {
  return a.reason === b.reason && a.decided_at === b.decided_at && a.decided_by.join("\n") === b.decided_by.join("\n");
}

/** What was good when the job went on is not any more. */
function noLonger(call: PlacedCall, approval: Approval, judgement: Exclude<Judgement, { kind: "approved" }>): AppError {
  if (judgement.kind === "rejected" || judgement.kind === "revoked") return refusedLeave(approval, judgement);
  const [first] = judgement.refusals;
  if (first === undefined) return altered(call, `nobody signed the approval ${approval.approvalId}`);
  return new AppError(
    first.code,
    `${where(call)}: approval ${approval.approvalId} does not count any more: ${first.message}`,
  );
}

function altered(call: PlacedCall, what: string): AppError {
  return new AppError("APPROVAL_ALTERED", `${where(call)}: ${what}; the records were changed by hand`);
}

function where({ name, position }: PlacedCall): string {
  return `approve ${JSON.stringify(name)} (position ${position})`;
}

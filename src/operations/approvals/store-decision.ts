import type { Approval, ApprovalState, Decision, SignedDecision } from "../../approval/approval.ts";
import { SKEW_MS } from "../../approval/check-decision.ts";
import type { SoundDecision } from "../../approval/judgement.ts";
import { hasDecided, isOpenTo } from "../../approval/still-open.ts";
import { verifyDecision } from "../../approval/verify.ts";
import type { ApprovalStore } from "../../backend/approvals.ts";
import { AppError } from "../../error.ts";
import type { PolicyInForce } from "../../policy/in-force.ts";
import { stateNow } from "./fields.ts";

/** What a decision is stored with. */
export interface StoringParts {
  readonly approvals: ApprovalStore;
  readonly inForce: PolicyInForce;
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/** A decision that was stored. */
export interface StoredDecision {
  /** Where the approval stands now. */
  readonly state: ApprovalState;
  readonly verified: SoundDecision;
}

/**
 * Verifies a signed decision and stores it. The worker verifies it again by its own policy.
 *
 * @throws AppError `APPROVAL_CLOSED`, `APPROVAL_USED`, `APPROVAL_EXPIRED`, `APPROVAL_REPEATED`, `APPROVAL_ALTERED`,
 * `APPROVAL_SIGNATURE`, `APPROVER_UNKNOWN`, `APPROVAL_SELF_GIVEN`, `APPROVAL_LEVEL`, `PREREQUISITE_MISSING`.
 */
export async function storeDecision(
  approval: Approval,
  signed: SignedDecision,
  { approvals, inForce, nowMs, signal }: StoringParts,
): Promise<StoredDecision> {
  refuseClosed(approval, signed.decision, nowMs);
  refuseEarly(signed, nowMs);
  const verified = await verifyDecision(
    approval,
    signed,
    approval.terms,
    inForce,
    signal === undefined ? {} : { signal },
  );
  if (verified.kind === "refused") throw new AppError(verified.code, verified.message);
  if (signed.decision === "approved") refuseLow(approval, verified);
  const { approvalId } = approval;
  const result = await approvals.decide(approvalId, signed);
  switch (result.kind) {
    case "stored":
      return { state: result.state, verified };
    case "repeated":
      throw repeated(approvalId, signed.principal);
    case "closed":
      throw result.used ? used(approvalId) : closed(approvalId, signed.decision, result.state);
    case "not_found":
      throw new AppError("APPROVAL_NOT_FOUND", `the approval ${approvalId} was removed together with its job`);
  }
}

/**
 * Refuses a decision that nothing waits for any more.
 *
 * @throws AppError `APPROVAL_USED`, `APPROVAL_EXPIRED`, `APPROVAL_CLOSED`.
 */
export function refuseClosed(approval: Approval, decision: Decision, nowMs: number): void {
  const { approvalId, expiresAtMs, usedAtMs } = approval;
  if (usedAtMs !== null) throw used(approvalId);
  const state = stateNow(approval, nowMs);
  if (state === "expired")
    throw new AppError(
      "APPROVAL_EXPIRED",
      `the approval ${approvalId} could be decided until ${new Date(expiresAtMs).toISOString()}; start the job over (\`windlass jobs retry\`), and it is asked again`,
    );
  if (!isOpenTo(approval, decision)) throw closed(approvalId, decision, state);
}

/** Refuses a second decision of one principal. @throws AppError `APPROVAL_REPEATED`. */
export function refuseRepeated(approval: Approval, principal: string, decision: Decision): void {
  if (decision !== "revoked" && hasDecided(approval, principal)) throw repeated(approval.approvalId, principal);
}

/** Refuses an approval that is worth less than is asked for. @throws AppError `APPROVAL_LEVEL` with what is missing. */
export function refuseLow(
  { approvalId, terms }: Pick<Approval, "approvalId" | "terms">,
  { level, reasons }: Pick<SoundDecision, "level" | "reasons">,
): void {
  if (terms.level === "advisory" || level === "enforced") return;
  throw new AppError(
    "APPROVAL_LEVEL",
    `the approval ${approvalId} must be enforced${terms.rule === undefined ? "" : ` by the rule ${terms.rule}`}, and this decision is advisory: ${reasons.join("; ")}`,
    { details: { advisory_because: reasons } },
  );
}

/** A worker does not look at the clock of who signed; so a decision for later must not lie there until then. */
function refuseEarly({ principal, decidedAtMs }: SignedDecision, nowMs: number): void {
  if (decidedAtMs <= nowMs + SKEW_MS) return;
  throw new AppError(
    "APPROVAL_ALTERED",
    `decided_at of what ${principal} signed is ${new Date(decidedAtMs).toISOString()}, which is still to come; set the clock, and decide anew`,
  );
}

function used(approvalId: string): AppError {
  return new AppError(
    "APPROVAL_USED",
    `the approval ${approvalId} was used: its job went on by it; to stop the job: \`windlass jobs cancel\``,
  );
}

function repeated(approvalId: string, principal: string): AppError {
  return new AppError(
    "APPROVAL_REPEATED",
    `${principal} has decided the approval ${approvalId} already; an approval can be taken back with \`windlass approvals revoke ${approvalId}\``,
  );
}

function closed(approvalId: string, decision: Decision, state: ApprovalState): AppError {
  return new AppError(
    "APPROVAL_CLOSED",
    decision === "revoked"
      ? `the approval ${approvalId} is ${state}; only one that somebody approved can be revoked`
      : `the approval ${approvalId} is ${state} already; ${CLOSED_HINTS[state]}`,
    { details: { approval_id: approvalId, state } },
  );
}

const CLOSED_HINTS: Readonly<Record<ApprovalState, string>> = {
  pending: "look again",
  approved: "to take it back: windlass approvals revoke",
  rejected: "one no is a veto",
  revoked: "it was taken back",
  expired: "its time is over",
  withdrawn: "its job has ended",
};

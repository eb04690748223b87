import type { Approval, ApprovalLevel, SignedDecision } from "../../approval/approval.ts";
import { judge } from "../../approval/judge.ts";
import type { Judgement, Refusal, VerifiedDecision } from "../../approval/judgement.ts";
import { verifyDecision } from "../../approval/verify.ts";
import type { PolicyInForce } from "../../policy/in-force.ts";

/** A stored decision, and what it is worth by itself. */
export interface WorthOfDecision {
  readonly signed: SignedDecision;
  /** `null` where it does not hold. */
  readonly level: ApprovalLevel | null;
  readonly reasons: readonly string[];
  /** Why it does not count. */
  readonly refusal: Pick<Refusal, "code" | "message"> | null;
}

/** Verifies every decision about an approval, by the policy of this process and the terms that stand in the record. */
export async function verifyAll(
  approval: Approval,
  inForce: PolicyInForce,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<{ readonly judgement: Judgement["kind"]; readonly decisions: readonly WorthOfDecision[] }> {
  const { terms } = approval;
  const verified: VerifiedDecision[] = [];
  const decisions: WorthOfDecision[] = [];
  for (const signed of approval.decisions) {
    const one = await verifyDecision(approval, signed, terms, inForce, { signal });
    verified.push(one);
    const [refusal = null] = judge(approval, terms, [one], nowMs).refusals;
    const { level, reasons } = one.kind === "sound" ? one : { level: null, reasons: [] };
    decisions.push({ signed, level, reasons, refusal });
  }
  return { judgement: judge(approval, terms, verified, nowMs).kind, decisions };
}

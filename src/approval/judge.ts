import type { Approval, ApprovalLevel, ApprovalTerms } from "./approval.ts";
import type { Judgement, LevelFound, Refusal, SoundDecision, VerifiedDecision } from "./judgement.ts";

/**
 * Says what verified decisions amount to. Total and pure; another order of the decisions changes nothing but that of the names.
 *
 * A no counts at any level: it gives nobody anything. A yes counts from the level of the terms on, once for each principal.
 * What was used in time counts on, whatever the clock says now and whoever takes it back.
 */
export function judge(
  { usedAtMs, expiresAtMs }: Pick<Approval, "usedAtMs" | "expiresAtMs">,
  terms: ApprovalTerms,
  decisions: readonly VerifiedDecision[],
  nowMs: number,
): Judgement {
  const weighed = decisions.map((one) => refuseLow(one, terms.level));
  const refusals = weighed.filter((one) => one.kind === "refused");
  const sound = weighed.filter((one) => one.kind === "sound");
  const of = (decision: SoundDecision["decision"]) => sound.filter((one) => one.decision === decision);
  const [approvals, rejections, revocations] = [of("approved"), of("rejected"), of("revoked")];
  if (rejections.length > 0) return { kind: "rejected", ...sum(rejections, 1), refusals };
  if (usedAtMs === null && revocations.length > 0) return { kind: "revoked", ...sum(revocations, 1), refusals };
  if ((usedAtMs ?? nowMs) > expiresAtMs) return { kind: "expired", refusals };
  const decidedBy = principals(approvals);
  if (decidedBy.length < terms.quorum) return { kind: "pending", decidedBy, refusals };
  return { kind: "approved", ...sum(approvals, terms.quorum), refusals };
}

function refuseLow(one: VerifiedDecision, demanded: ApprovalLevel): VerifiedDecision {
  if (one.kind === "refused" || one.decision !== "approved") return one;
  return demanded === "advisory" || one.level === "enforced" ? one : lowLevel(one);
}

function lowLevel({ principal, decision, reasons }: SoundDecision): Refusal {
  const message = `the approval of ${principal} is advisory, and this needs an enforced one: ${reasons.join("; ")}`;
  return { kind: "refused", principal, decision, code: "APPROVAL_LEVEL", message };
}

/** @param enough how many enforced ones make the whole enforced. */
function sum(decisions: readonly SoundDecision[], enough: number) {
  const enforced = decisions.filter(({ level }) => level === "enforced");
  const isEnforced = principals(enforced).length >= enough;
  const level: LevelFound = isEnforced
    ? { level: "enforced", reasons: [] }
    : { level: "advisory", reasons: [...new Set(decisions.flatMap(({ reasons }) => reasons))] };
  return {
    ...level,
    decidedBy: principals(decisions),
    reason: decisions
      .map(({ reason }) => reason)
      .filter((reason) => reason !== "")
      .join("; "),
    decidedAtMs: Math.max(...decisions.map(({ decidedAtMs }) => decidedAtMs)),
  };
}

function principals(decisions: readonly SoundDecision[]): readonly string[] {
  return [...new Set(decisions.map(({ principal }) => principal))];
}

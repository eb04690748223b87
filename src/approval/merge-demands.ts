import { AppError } from "../error.ts";
import type { Approver } from "../policy/policy.ts";
import type { ApprovalDemand, ApprovalTerms } from "./approval.ts";

/**
 * Of two demands what satisfies both: those whom both name, the larger quorum, the stricter level, the shorter time.
 *
 * @throws AppError `APPROVER_UNKNOWN` when both name approvers and no one stands in both.
 */
export function mergeDemands(wanted: ApprovalDemand, floor: ApprovalDemand): ApprovalDemand {
  const [own, least] = [wanted.terms, floor.terms];
  const level = own.level === "enforced" || least.level === "enforced" ? "enforced" : "advisory";
  return {
    terms: {
      approvers: mergeApprovers(own, least),
      quorum: Math.max(own.quorum, least.quorum),
      level,
      ...(least.rule === undefined ? {} : { rule: least.rule }),
    },
    expiresInMs: Math.min(wanted.expiresInMs, floor.expiresInMs),
  };
}

function mergeApprovers(own: ApprovalTerms, least: ApprovalTerms): readonly string[] {
  if (own.approvers.length === 0) return least.approvers;
  if (least.approvers.length === 0) return own.approvers;
  const both = own.approvers.filter((name) => least.approvers.includes(name));
  if (both.length > 0) return both;
  throw new AppError(
    "APPROVER_UNKNOWN",
    `none of ${own.approvers.join(", ")} may decide: the rule ${least.rule ?? ""} names ${least.approvers.join(", ")}`,
  );
}

/**
 * Refuses to ask what nobody could answer.
 *
 * @throws AppError `APPROVER_UNKNOWN`.
 */
export function checkReachable({ approvers, quorum }: ApprovalTerms, known: readonly Approver[], nowMs: number): void {
  const names = new Set(
    known.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs).map((one) => one.principal),
  );
  if (names.size === 0)
    throw new AppError("APPROVER_UNKNOWN", "nobody can decide: no policy that names approvers is in force here");
  const strangers = approvers.filter((name) => !names.has(name));
  if (strangers.length > 0)
    throw new AppError(
      "APPROVER_UNKNOWN",
      `${strangers.join(", ")} may not decide: the policy names ${[...names].join(", ")}`,
    );
  const able = approvers.length === 0 ? names.size : approvers.length;
  if (able < quorum)
    throw new AppError("APPROVER_UNKNOWN", `${quorum} must approve, and only ${able} may: name more approvers`);
}

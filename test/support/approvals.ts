import type { Approval, ApprovalTerms, Decision, SignedDecision } from "../../src/approval/approval.ts";
import { makeStatement, type Saying, signedDecision, statementText } from "../../src/approval/statement.ts";
import { subjectDigest } from "../../src/approval/subject.ts";
import type { PolicyInForce } from "../../src/policy/in-force.ts";
import type { Approver } from "../../src/policy/policy.ts";

/** When approvals of the tests are asked for. */
export const ASKED_MS = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;

export const ANY_TERMS: ApprovalTerms = { approvers: [], quorum: 1, level: "advisory" };

/** A question about a job of an agent, for a day. */
export function approvalOf(more: Partial<Approval> = {}): Approval {
  const approval: Approval = {
    approvalId: "01933b5e-7c00-7000-8000-0123456789ab",
    subject: {
      kind: "job",
      jobId: "01933b5e-7c00-7000-8000-000000000001",
      runNumber: 1,
      position: 0,
      title: "exec for agent:codex",
      details: { operation: "jobs.enqueue", type: "exec", input: { argv: ["deploy", "now"] } },
    },
    subjectDigest: "",
    askedBy: { kind: "agent", name: "codex", via: "cli" },
    terms: ANY_TERMS,
    askedAtMs: ASKED_MS,
    expiresAtMs: ASKED_MS + 24 * HOUR_MS,
    state: "pending",
    concludedAtMs: null,
    usedAtMs: null,
    decisions: [],
    ...more,
  };
  return { ...approval, subjectDigest: subjectDigest(approval.subject, approval.askedBy) };
}

/** The policy in force with these approvers. */
export function policyWith(approvers: readonly Approver[], level: PolicyInForce["level"] = "enforced"): PolicyInForce {
  return {
    policy: { file: "/etc/windlass/policy.yaml", approvers, rules: [] },
    digest: "0".repeat(64),
    level,
    ...(level === "advisory" ? { reason: "root, who asks, can change every file" } : {}),
  };
}

/** A decision about an approval, signed by whatever makes a signature of a text. */
export function decided(
  approval: Approval,
  principal: string,
  sign: (text: string) => string,
  more: Partial<Saying> & { readonly decision?: Decision } = {},
): SignedDecision {
  const statement = makeStatement(approval, {
    principal,
    decision: "approved",
    reason: "",
    decidedAtMs: approval.askedAtMs + HOUR_MS,
    policyDigest: null,
    ...more,
  });
  return signedDecision(statement, sign(statementText(statement)));
}

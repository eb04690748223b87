import { z } from "zod";
import type { Approval } from "../../approval/approval.ts";
import { subjectDigest } from "../../approval/subject.ts";
import { standsFor } from "../../backend/job-question.ts";
import { errorText } from "../../error.ts";
import type { PolicyInForce } from "../../policy/in-force.ts";
import { ErrorText, Timestamp, timestamp, timestampOrNull } from "../fields.ts";
import { defineOperation } from "../operation.ts";
import { ApprovalId, ApprovalSummary, approvalNotFound, Level, summaryOf } from "./fields.ts";
import { verifyAll } from "./verify-all.ts";

const Decision = z.strictObject({
  principal: z.string(),
  decision: z.enum(["approved", "rejected", "revoked"]),
  reason: z.string(),
  decided_at: Timestamp,
  counts: z
    .boolean()
    .describe("Whether its signature holds by the policy of this process, at the level that is asked for."),
  level: Level.nullable().describe("What it is worth here; null where it does not hold."),
  advisory_because: z.array(z.string()),
  error: ErrorText.nullable().describe("Why it does not count."),
});

/** An approval in full. */
export const ApprovalOutput = ApprovalSummary.extend({
  run: z.int(),
  position: z.int().describe("The position of the durable call; 0 for a job as a whole."),
  details: z.unknown().describe("What is to be done, in full."),
  input: z
    .unknown()
    .optional()
    .describe(
      "The input of a job whose details have only its SHA-256, because it is long; absent where it does not fit that.",
    ),
  digest: z.string().describe("SHA-256 of the subject: what a decision is bound to."),
  approvers: z.array(z.string()).describe("Who may decide; empty: every approver of the policy."),
  quorum: z.int(),
  rule: z.string().nullable().describe("The rule of the policy that asks; null where the job itself does."),
  concluded_at: Timestamp.nullable(),
  used_at: Timestamp.nullable().describe("When the job went on by it."),
  judgement: z
    .enum(["pending", "approved", "rejected", "revoked", "expired"])
    .describe("What the signatures amount to by the policy of this process."),
  policy: Level.describe("Whether that policy is enforced."),
  decisions: z.array(Decision),
});

/** Shows an approval in full, and verifies its decisions. */
export const showApproval = defineOperation({
  name: "approvals.show",
  summary: "Show what is to be approved, in full, and what was decided about it.",
  description:
    "Every decision is verified anew by the policy of this process. The worker does the same by its own before the job goes on.",
  access: "read",
  input: z.strictObject({ id: ApprovalId }),
  output: ApprovalOutput,
  errors: ["APPROVAL_NOT_FOUND", "PREREQUISITE_MISSING"],
  database: "read",
  positional: ["id"],
  lines: ({ decisions, approvers, ...approval }) => [
    Object.fromEntries(
      Object.entries({ ...approval, approvers: approvers.join(",") || "*" }).filter(([, value]) => value !== null),
    ),
    ...decisions.map(({ principal, advisory_because, error, level, ...decision }) => ({
      decided_by: principal,
      ...decision,
      level: level ?? undefined,
      advisory_because: advisory_because.join("; ") || undefined,
      error: error ?? undefined,
    })),
  ],
  async run({ id }, { windlass: { backend, config }, clock, gate, signal }) {
    const approval = await backend.approvals.find(id);
    if (approval === undefined) throw approvalNotFound(id, config.database.path);
    const shown = await describeApproval(approval, (await gate()).inForce, { nowMs: clock.now(), signal });
    const { jobId, details } = approval.subject;
    const job = approval.subject.kind === "job" ? await backend.status(jobId) : undefined;
    return job !== undefined && standsFor(details, job.input) ? { ...shown, input: job.input } : shown;
  },
});

/** Verifies an approval and writes it down. */
async function describeApproval(
  approval: Approval,
  inForce: PolicyInForce,
  options: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<z.output<typeof ApprovalOutput>> {
  const { subject, askedBy, terms } = approval;
  const { judgement, decisions } = await verifyAll(approval, inForce, options);
  return {
    ...summaryOf(approval, options.nowMs),
    run: subject.runNumber,
    position: subject.position,
    details: subject.details,
    digest: subjectDigest(subject, askedBy),
    approvers: [...terms.approvers],
    quorum: terms.quorum,
    rule: terms.rule ?? null,
    concluded_at: timestampOrNull(approval.concludedAtMs),
    used_at: timestampOrNull(approval.usedAtMs),
    judgement,
    policy: inForce.level,
    decisions: decisions.map(({ signed: { principal, decision, reason, decidedAtMs }, level, reasons, refusal }) => ({
      principal,
      decision,
      reason,
      decided_at: timestamp(decidedAtMs),
      counts: refusal === null,
      level,
      advisory_because: [...reasons],
      error: refusal === null ? null : errorText(refusal),
    })),
  };
}

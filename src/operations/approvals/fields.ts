import { z } from "zod";
import type { Approval, ApprovalState as State } from "../../approval/approval.ts";
import { AppError } from "../../error.ts";
import { isUuid7, JobId } from "../../id.ts";
import { formatActor } from "../../policy/actor.ts";
import { Timestamp, timestamp } from "../fields.ts";

/** The states of an approval. */
export const ApprovalState = z.enum(["pending", "approved", "rejected", "revoked", "expired", "withdrawn"]);

/** What an approval must be worth, or is. */
export const Level = z.enum(["advisory", "enforced"]);

/** The id of an approval at every border. */
export const ApprovalId = z
  .string()
  .refine(isUuid7, { error: "is not an approval's id (a UUIDv7 such as 01933b5e-7c00-7000-8000-0123456789ab)" })
  .describe("The approval's id, as `approval_id` was printed.");

/** An approval as lists have it. */
export const ApprovalSummary = z.strictObject({
  approval_id: ApprovalId,
  kind: z.enum(["job", "call"]).describe("job: before a job may run; call: ctx.approve of a durable job."),
  job_id: JobId,
  state: ApprovalState,
  level: Level.describe("What the approval must be worth."),
  title: z.string(),
  asked_by: z.string().describe("Who asked, kind:name."),
  asked_at: Timestamp,
  expires_at: Timestamp,
});

/** An approval in one line. */
export function summaryOf(approval: Approval, nowMs: number): z.output<typeof ApprovalSummary> {
  const { approvalId, subject, terms, askedBy, askedAtMs, expiresAtMs } = approval;
  return {
    approval_id: approvalId,
    kind: subject.kind,
    job_id: subject.jobId,
    state: stateNow(approval, nowMs),
    level: terms.level,
    title: subject.title,
    asked_by: formatActor(askedBy),
    asked_at: timestamp(askedAtMs),
    expires_at: timestamp(expiresAtMs),
  };
}

/** Where it stands: the record says expired only when a worker has seen that. */
export function stateNow({ state, expiresAtMs, usedAtMs }: Approval, nowMs: number): State {
  const isOpen = state === "pending" || (state === "approved" && usedAtMs === null);
  return isOpen && nowMs > expiresAtMs ? "expired" : state;
}

/** The error about an approval that a database does not have. */
export function approvalNotFound(approvalId: string, database: string): AppError {
  return new AppError(
    "APPROVAL_NOT_FOUND",
    `there is no approval ${approvalId} in ${database}; \`windlass approvals list --state all\` shows those that there are`,
    { details: { approval_id: approvalId, state: "not_found" } },
  );
}

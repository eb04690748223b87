import type { Logger } from "../logfmt.ts";

/** A job that waits until people gave leave for it, and the question that they are asked. */
export interface HeldJob {
  readonly jobId: string;
  readonly approvalId: string;
}

/** Says that a job waits for leave, and what to type for it. */
export function tellApproval(log: Logger, op: string, { jobId, approvalId }: HeldJob): void {
  log.warn(
    op,
    `the job waits for an approval: \`windlass approvals show ${approvalId}\`, then \`windlass approvals approve ${approvalId}\`, or reject`,
    { job_id: jobId, approval_id: approvalId },
  );
}

import { z } from "zod";
import { AppError } from "../../error.ts";
import type { ApproveRequest, DecisionLevel } from "./approve-options.ts";
import type { CallOutcome } from "./record.ts";

const Outcome = z.strictObject({
  approval_id: z.string(),
  decision: z.enum(["approved", "rejected", "revoked", "expired"]),
  decided_by: z.array(z.string()),
  reason: z.string(),
  level: z.enum(["advisory", "enforced"]).nullable(),
  /** Unix milliseconds; null where nobody did. */
  decided_at: z.int().nullable(),
});

/** What came of asking people, as the record keeps it. */
export type ApproveOutcome = z.output<typeof Outcome>;

/** What the code of a job gets of it. */
export interface ApprovalAnswer {
  readonly approvalId: string;
  /** `expired`: not enough of them approved in time. */
  readonly decision: ApproveOutcome["decision"];
  /** Who decided, joined with `, `; empty where nobody did. */
  readonly decidedBy: string;
  /** What they gave as reasons; may be empty. */
  readonly reason: string;
  /** What the decision is worth; null where there is none. */
  readonly level: DecisionLevel | null;
}

/** Reads what the record has; `undefined` for what no approval came to, as when somebody wrote it by hand. */
export function readApproveOutcome(outcome: CallOutcome): ApproveOutcome | undefined {
  return outcome.kind === "ok" ? Outcome.safeParse(outcome.value).data : undefined;
}

/** Answers the code of a job. @throws AppError `APPROVAL_EXPIRED` where it wants that. */
export function answerApprove({ title, onExpiry }: ApproveRequest, outcome: ApproveOutcome): ApprovalAnswer {
  const { approval_id: approvalId, decision, decided_by: decidedBy, reason, level } = outcome;
  if (decision === "expired" && onExpiry === "fail")
    throw new AppError(
      "APPROVAL_EXPIRED",
      `nobody approved ${JSON.stringify(title)} in time (approval ${approvalId})`,
      {
        details: { approval_id: approvalId },
      },
    );
  return { approvalId, decision, decidedBy: decidedBy.join(", "), reason, level };
}

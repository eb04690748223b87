import { z } from "zod";
import { REASON_MAX } from "../../approval/statement.ts";
import type { ErrorCode } from "../../error.ts";
import { JobId } from "../../id.ts";
import type { Pairs } from "../../logfmt.ts";
import { ApprovalId, ApprovalState, Level } from "./fields.ts";

/** What is said with a decision, whichever it is. */
export const DecisionInput = z.strictObject({
  id: ApprovalId,
  reason: z.string().max(REASON_MAX).optional().describe("Why; it is signed, stored and shown."),
  as: z.string().min(1).optional().describe("The principal who decides. Default: the approver whose key is found."),
  key: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The SSH key to sign with: a private one, or the .pub of one that the SSH agent holds. Default: the key in ~/.ssh, or in the agent, that the policy has.",
    ),
  digest: z
    .string()
    .optional()
    .describe("Refuse unless this is still the digest of what is asked, as approvals show printed it."),
  print_statement: z
    .boolean()
    .default(false)
    .describe(
      "Only print the statement, to be signed elsewhere with `ssh-keygen -Y sign -n windlass-approval`; nothing is decided.",
    ),
  statement: z
    .string()
    .min(1)
    .optional()
    .describe("A file with a statement that was signed elsewhere, as it was printed."),
  signature: z.string().min(1).optional().describe("The file with the signature of --statement."),
});

/** What came of a decision. */
export const DecisionOutput = z.strictObject({
  approval_id: ApprovalId,
  job_id: JobId,
  decision: z.enum(["approved", "rejected", "revoked"]),
  stored: z.boolean().describe("False where only the statement was asked for."),
  state: ApprovalState.describe("Where the approval stands now."),
  decided_by: z.string(),
  title: z.string(),
  digest: z.string().describe("SHA-256 of what was decided about."),
  level: Level.nullable().describe(
    "What the decision is worth by the policy of this process; null where none was stored.",
  ),
  advisory_because: z.array(z.string()),
  statement: z.string().nullable().describe("What is to be signed, where that was asked for."),
});

/** The codes of all three. */
export const DECISION_ERRORS = [
  "APPROVAL_NOT_FOUND",
  "APPROVAL_CLOSED",
  "APPROVAL_USED",
  "APPROVAL_EXPIRED",
  "APPROVAL_REPEATED",
  "APPROVAL_ALTERED",
  "APPROVAL_SIGNATURE",
  "APPROVER_UNKNOWN",
  "APPROVAL_SELF_GIVEN",
  "APPROVAL_BY_AGENT",
  "APPROVAL_LEVEL",
  "PREREQUISITE_MISSING",
  "TIMEOUT",
  "POLICY_DENIED",
] as const satisfies readonly ErrorCode[];

/** A decision as one line. */
export function decisionLines({
  approval_id,
  job_id,
  decision,
  state,
  decided_by,
  digest,
  level,
  advisory_because,
  statement,
}: z.output<typeof DecisionOutput>): readonly Pairs[] {
  return [
    {
      approval_id,
      job_id,
      decision,
      state,
      decided_by,
      digest,
      level: level ?? undefined,
      advisory_because: advisory_because.join("; ") || undefined,
      statement: statement ?? undefined,
    },
  ];
}

/** What all three operations that decide have in common; that agents are refused cannot be left out of one. */
export const DECIDING = {
  access: "write",
  input: DecisionInput,
  output: DecisionOutput,
  errors: DECISION_ERRORS,
  database: "write",
  refusesAgents: true,
  positional: ["id"],
  /** A decision as one line. */
  lines: decisionLines,
} as const;

import { z } from "zod";
import { JobId } from "../../id.ts";
import { defineOperation } from "../operation.ts";
import { ApprovalState, ApprovalSummary, summaryOf } from "./fields.ts";

/** Lists approvals, the oldest question first. */
export const listApprovals = defineOperation({
  name: "approvals.list",
  summary: "List the approvals that wait for a person, oldest first.",
  access: "read",
  input: z.strictObject({
    state: z
      .enum([...ApprovalState.options, "all"])
      .default("pending")
      .describe("Only approvals in this state."),
    job: JobId.optional().describe("Only approvals of this job."),
    limit: z.int().min(1).max(1_000).default(100).describe("How many at most, 1 to 1000."),
    cursor: z.string().optional().describe("Goes on behind an earlier page, as that page printed it."),
  }),
  output: z.strictObject({ approvals: z.array(ApprovalSummary), cursor: z.string().nullable() }),
  errors: ["INVALID_INPUT"],
  database: "read",
  lines: ({ approvals, cursor }) => [...approvals, ...(cursor === null ? [] : [{ cursor }])],
  async run({ state, job, limit, cursor }, { windlass: { backend }, clock }) {
    const page = await backend.approvals.list({
      limit,
      ...(state === "all" ? {} : { state }),
      ...(job === undefined ? {} : { jobId: job }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const nowMs = clock.now();
    return { approvals: page.approvals.map((approval) => summaryOf(approval, nowMs)), cursor: page.cursor };
  },
});

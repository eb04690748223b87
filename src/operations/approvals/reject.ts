import { defineOperation } from "../operation.ts";
import { DECIDING } from "./decision-fields.ts";
import { runDecision } from "./run-decision.ts";

/** A signed no. */
export const rejectApproval = defineOperation({
  name: "approvals.reject",
  summary: "Reject what was asked, with a signature of your SSH key.",
  description: "One no is enough, whoever else approved: the job fails with APPROVAL_REJECTED, or its code is told.",
  ...DECIDING,
  run: (input, context) => runDecision("rejected", input, context),
});

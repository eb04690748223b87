import { defineOperation } from "../operation.ts";
import { DECIDING } from "./decision-fields.ts";
import { runDecision } from "./run-decision.ts";

/** Takes a yes back. */
export const revokeApproval = defineOperation({
  name: "approvals.revoke",
  summary: "Take an approval back that was not used yet, with a signature of your SSH key.",
  description: "Any approver who is asked can do it, until the job has gone on by the approval.",
  ...DECIDING,
  run: (input, context) => runDecision("revoked", input, context),
});

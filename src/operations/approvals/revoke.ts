import { defineOperation } from "../operation.ts";
import { DECISION_ERRORS, DecisionInput, DecisionOutput, decisionLines } from "./decision-fields.ts";
import { runDecision } from "./run-decision.ts";

/** Takes a yes back. */
export const revokeApproval = defineOperation({
  name: "approvals.revoke",
  summary: "Take an approval back that was not used yet, with a signature of your SSH key.",
  description: "Any approver who is asked can do it, until the job has gone on by the approval.",
  access: "write",
  input: DecisionInput,
  output: DecisionOutput,
  errors: DECISION_ERRORS,
  database: "write",
  refusesAgents: true,
  positional: ["id"],
  lines: decisionLines,
  run: (input, context) => runDecision("revoked", input, context),
});

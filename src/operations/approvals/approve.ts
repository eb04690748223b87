import { defineOperation } from "../operation.ts";
import { DECIDING } from "./decision-fields.ts";
import { runDecision } from "./run-decision.ts";

/** A signed yes. */
export const approveApproval = defineOperation({
  name: "approvals.approve",
  summary: "Approve what was asked, with a signature of your SSH key.",
  description:
    "The job goes on when enough approvers have said yes. What is signed is printed first; an agent cannot decide.",
  ...DECIDING,
  run: (input, context) => runDecision("approved", input, context),
});

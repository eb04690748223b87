import type { Approval, ApprovalTerms } from "../../../approval/approval.ts";
import type { Judgement } from "../../../approval/judgement.ts";
import { AppError, isAppError } from "../../../error.ts";
import type { WorkerParts } from "./worker-parts.ts";

/**
 * What an approval is worth by what this worker finds. A machine that has no ssh-keygen now, or is too busy to run it, has
 * found nothing: a job that waited for days must not fail by that.
 *
 * @throws AppError `APPROVAL_UNVERIFIED`.
 */
export async function judgeHere(
  { options, machine }: Pick<WorkerParts, "options" | "machine">,
  approval: Approval,
  terms: ApprovalTerms,
): Promise<Judgement> {
  try {
    return await options.judge(approval, terms);
  } catch (error) {
    if (!isAppError(error) || (error.code !== "TIMEOUT" && error.code !== "PREREQUISITE_MISSING")) throw error;
    throw new AppError(
      "APPROVAL_UNVERIFIED",
      `the approval ${approval.approvalId} could not be verified on ${machine.host}: ${error.message}`,
      { cause: error },
    );
  }
}

import type { Approval, ApprovalTerms } from "../../../approval/approval.ts";
import type { Judgement } from "../../../approval/judgement.ts";
import type { AttemptControl } from "../../../attempt/control.ts";
import { pause } from "../../../clock.ts";
import { isAppError } from "../../../error.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** A machine that was too busy for the looks before is so for the next one: a job that waited for days must not fail by that. */
const TRIES_MAX = 5;
const PAUSE_MS = 1_000;

/** What an approval is worth. Verifying that took too long is tried again, as long as the attempt is not stopped. */
export async function judgePatiently(
  { options, clock }: Pick<WorkerParts, "options" | "clock">,
  control: AttemptControl,
  approval: Approval,
  terms: ApprovalTerms,
): Promise<Judgement> {
  for (let tries = 1; ; tries++) {
    try {
      return await options.judge(approval, terms);
    } catch (error) {
      const passes = isAppError(error) && error.code === "TIMEOUT";
      if (!passes || tries === TRIES_MAX || control.reason !== undefined) throw error;
    }
    await pause(clock, tries * PAUSE_MS, control.signal);
  }
}

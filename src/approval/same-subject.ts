import { AppError } from "../error.ts";
import type { Actor } from "../policy/actor.ts";
import type { Approval, Subject } from "./approval.ts";
import { subjectDigest } from "./subject.ts";

/**
 * Holds an approval against what is really about to be done: whoever can write the records could change either.
 *
 * @throws AppError `APPROVAL_ALTERED`.
 */
export function checkSubject(approval: Approval, subject: Subject, askedBy: Actor): void {
  const asked = subjectDigest(approval.subject, approval.askedBy);
  const now = subjectDigest(subject, askedBy);
  if (asked === now && approval.subjectDigest === now) return;
  throw new AppError(
    "APPROVAL_ALTERED",
    `approval ${approval.approvalId} is for something else than what is about to be done (asked ${asked}, now ${now}): the job or the approval was changed after it was asked`,
    { details: { approval_id: approval.approvalId, asked, now } },
  );
}

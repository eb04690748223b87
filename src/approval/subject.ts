import { createHash } from "node:crypto";
import { canonicalJson } from "../job/canonical-json.ts";
import { formatActor, type WrittenActor } from "../policy/actor.ts";
import type { Subject } from "./approval.ts";

/**
 * What a decision is bound to: SHA-256, in hexadecimal, of all that an approver was shown of the subject and of who asked.
 * It holds job, run and position, so no signature fits another run or another job.
 */
export function subjectDigest(subject: Subject, askedBy: WrittenActor): string {
  const { kind, jobId, runNumber, position, title, details } = subject;
  const text = canonicalJson({
    kind,
    job_id: jobId,
    run: runNumber,
    position,
    title,
    details,
    asked_by: formatActor(askedBy),
  });
  return createHash("sha256").update(text).digest("hex");
}

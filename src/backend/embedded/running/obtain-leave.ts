import { checkSubject } from "../../../approval/same-subject.ts";
import type { AttemptControl } from "../../../attempt/control.ts";
import type { LeaveEnd } from "../../../attempt/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError, isAppError, toErrorRecord } from "../../../error.ts";
import type { JobQuestion } from "../../acceptance.ts";
import { asAsked, dueLater, jobQuestion } from "../../job-question.ts";
import type { AskedJob } from "../../serving.ts";
import { approvalOf, type Question, subjectOf } from "../approvals/approval-row.ts";
import { hold, holdForLeave } from "../approvals/hold.ts";
import { isUnchanged, type Judged, markRefused, markUsed, openAgain, refusedLeave } from "../approvals/use-approval.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease, setLeasedJobs } from "../lease/lease.ts";
import { releaseKeys, storeExpiries } from "../queue/admission.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import type { Entry } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";
import { judgeHere } from "./judge-here.ts";
import { persist } from "./persist.ts";
import type { SharedLease } from "./running.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** The attempt that may not begin without leave. */
export interface LeaveBinding {
  readonly claim: Claim;
  readonly control: AttemptControl;
  readonly lease: SharedLease;
}

/**
 * Asks the policy of this worker about a job that it claimed. Where that wants people's leave, their decisions are judged by
 * its terms of this moment; a job without enough of them leaves its lease and waits.
 *
 * @returns `undefined` where nobody need be asked.
 * @throws AppError `POLICY_DENIED`, `APPROVAL_ALTERED`, `APPROVAL_REJECTED`, `APPROVAL_REVOKED`, `LEASE_LOST`.
 */
export function obtainLeave(parts: WorkerParts, binding: LeaveBinding, asked: AskedJob): Promise<LeaveEnd> | undefined {
  const demand = parts.options.checkPolicy(asked);
  if (demand === undefined) return undefined;
  return leaveFor(parts, binding, { ...demand, ...jobQuestion(asked) }, asked).catch((error: unknown): LeaveEnd => {
    if (isAppError(error) && error.code === "APPROVAL_UNVERIFIED")
      return { kind: "put-off", error: toErrorRecord(error) };
    // The request was found before its notice came.
    if (isAppError(error) && error.code === "CANCELLED") binding.control.stop("cancelled");
    throw error;
  });
}

async function leaveFor(
  parts: WorkerParts,
  binding: LeaveBinding,
  question: JobQuestion,
  { actor }: AskedJob,
): Promise<LeaveEnd> {
  const { db } = parts;
  const { entry, job, rules } = binding.claim;
  const place: Question = { job: entry.job, run: entry.run, position: 0 };
  for (;;) {
    const approval = db.snapshot(() => approvalOf(db, parts, place));
    if (approval === undefined) return ask(parts, binding, dueLater(question, job.due, parts.clock.now()));
    const { title, details } = asAsked(question, approval, job.due);
    checkSubject(approval, subjectOf(parts, place, title, details), actor);
    const judgement = await judgeHere(parts, approval, question.terms);
    if (judgement.kind === "approved" && approval.usedAtMs !== null) return "granted";
    const judged = { question: place, approval, terms: question.terms, judgement, rowsMax: rules.historyRowsMax };
    const end = await persist(parts, binding, (tx, again) => conclude(tx, parts, binding, judged, again));
    if (end.kind === "refused") throw end.error;
    // Somebody decided meanwhile.
    if (end.kind === "ended") return end.end;
  }
}

type Conclusion =
  | { readonly kind: "ended"; readonly end: LeaveEnd }
  | { readonly kind: "refused"; readonly error: AppError }
  | { readonly kind: "changed" };

const WAITS: Conclusion = { kind: "ended", end: "waits" };

function conclude(
  tx: Transaction<Notice>,
  parts: WorkerParts,
  binding: LeaveBinding,
  judged: Judged,
  again: boolean,
): Conclusion {
  if (again && isHeld(tx, binding.claim)) return WAITS;
  checkLease(tx, binding.claim.epoch);
  if (!isUnchanged(tx, parts, judged)) return { kind: "changed" };
  const { judgement, approval } = judged;
  switch (judgement.kind) {
    case "approved":
      markUsed(tx, judged, judgement);
      return { kind: "ended", end: "granted" };
    case "rejected":
    case "revoked":
      markRefused(tx, judged, judgement.kind);
      return { kind: "refused", error: refusedLeave(approval, judgement) };
    // One that came too late is held for the moment that the timer needs to end it.
    case "expired":
    case "pending":
      openAgain(tx, judged);
      hold(tx, leave(tx, binding), approval);
      binding.lease.left(tx);
      return WAITS;
  }
}

/** Nobody was asked yet: the policy became stricter, or it is another run. */
async function ask(parts: WorkerParts, binding: LeaveBinding, question: JobQuestion): Promise<LeaveEnd> {
  await persist(parts, binding, (tx, again) => {
    if (again && isHeld(tx, binding.claim)) return;
    checkLease(tx, binding.claim.epoch);
    const { actor, due: dueAtMs } = binding.claim.job;
    holdForLeave(tx, parts, { entry: leave(tx, binding), actor, question, dueAtMs });
    binding.lease.left(tx);
  });
  return "waits";
}

/** The run leaves its lease, and this look at it was no attempt. One that never started gives its keys back. */
function leave(tx: Transaction<Notice>, { claim, lease }: LeaveBinding): Entry {
  const { job, epoch } = claim;
  const entry = { ...claim.entry, attempt: claim.entry.attempt - 1 };
  if (isCancelRequested(tx.db, entry)) throw new AppError("CANCELLED", "it was cancelled before it waited for leave");
  tx.db.run("UPDATE job SET env = json_set(env, '$.approval', json('true')) WHERE id = ?", job.id);
  setLeasedJobs(tx, epoch, lease.others(tx));
  if (entry.attempt === 0) releaseKeys(tx, job.id, job.keys);
  storeExpiries(tx, job, entry);
  return entry;
}

function isHeld(tx: Transaction<Notice>, { entry }: Claim): boolean {
  return (
    tx.db.get(
      "SELECT 1 FROM waiting WHERE job = ? AND run = ? AND attempt < ?",
      entry.job,
      entry.run,
      entry.attempt,
    ) !== undefined
  );
}

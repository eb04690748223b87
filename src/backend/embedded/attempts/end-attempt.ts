import type { AttemptEnd, KeptFiles } from "../../../attempt/services.ts";
import { CANCELLED } from "../../../attempt/settle.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { Transaction } from "../../../database/writer.ts";
import { decideRetry } from "../../../job/retry.ts";
import type { Outcome } from "../../../job/state.ts";
import { continueRun } from "../durable/continue-run.ts";
import { finish } from "../ending/finish.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease, setLeasedJobs } from "../lease/lease.ts";
import { releaseKeys } from "../queue/admission.ts";
import { insertDelayed } from "../queue/insert-delayed.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { dropEffect } from "../rows/effect-row.ts";
import type { LeasedJob } from "../rows/entry.ts";
import type { ValueReference } from "../rows/env.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";
import { giveBack, leaveForAdoption } from "./give-back.ts";
import { putOff } from "./put-off.ts";

/** What a worker reports of one attempt. */
export interface AttemptReport {
  readonly claim: Claim;
  readonly end: Exclude<AttemptEnd, { kind: "lost" | "suspended" }>;
  readonly worker: number;
  readonly artifactRoot: string;
  /** Jobs of the same lease that have not ended, this one left out. */
  readonly others: { readonly count: number; readonly list: () => readonly LeasedJob[] };
  /** 0 to 1, for the spread of a back-off. */
  readonly random: number;
  /** True when an earlier try may have been committed after all (`COMMIT_UNKNOWN`). */
  readonly again?: boolean;
  /** Of a run that goes on with another input: where that stands when it is too large for the database. */
  readonly inputAt?: ValueReference;
}

/** What became of the job. */
export type AttemptResult =
  | { readonly kind: "final" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "released" };

/**
 * Records the end of an attempt under its lease: the result, the retry or the return of the job, its manifest and the
 * release of its keys, all in one transaction.
 *
 * @throws AppError `LEASE_LOST`: nothing was recorded.
 */
export function endAttempt(tx: Transaction<Notice>, report: AttemptReport): AttemptResult {
  const { claim, others } = report;
  checkLease(tx, claim.epoch);
  if (report.again && !isLeased(tx.db, claim)) return { kind: "final" };
  const result = record(tx, report);
  // An entry that stands in done has ended without the lease being written; every other end takes it out.
  if (others.count === 0 || result.kind !== "final") setLeasedJobs(tx, claim.epoch, others.list());
  return result;
}

function record(tx: Transaction<Notice>, report: AttemptReport): AttemptResult {
  const { claim, end, worker } = report;
  const { entry, job, claimedAt: claimed } = claim;
  switch (end.kind) {
    case "completed":
      keep(tx, report, end.kept);
      finish(tx, job, "running", {
        entry,
        state: "completed",
        worker,
        claimed,
        result: end.resultJson,
        ...outcomeOf(end.outcome),
      });
      return { kind: "final" };
    case "cancelled":
      keep(tx, report, end.kept);
      finish(tx, job, "running", {
        entry,
        state: "cancelled",
        worker,
        claimed,
        error: end.error,
        ...outcomeOf(end.outcome),
      });
      return { kind: "final" };
    case "failed":
      return recordFailure(tx, report, end);
    case "released":
      return { kind: giveBack(tx, claim, worker) };
    case "left":
      leaveForAdoption(tx, claim, end.delayMs);
      return { kind: "released" };
    case "put-off":
      putOff(tx, report, end.error);
      return { kind: "released" };
    case "continued":
      return goOn(tx, report, end);
  }
}

/** The next run takes over; a cancel that was asked for while this one ran is meant for both. */
function goOn(
  tx: Transaction<Notice>,
  report: AttemptReport,
  end: Extract<AttemptEnd, { kind: "continued" }>,
): AttemptResult {
  const { claim, worker, inputAt } = report;
  const { entry, job, claimedAt: claimed } = claim;
  keep(tx, report, end.kept);
  if (isCancelRequested(tx.db, entry))
    finish(tx, job, "running", { entry, state: "cancelled", worker, claimed, error: CANCELLED });
  else
    continueRun(tx, {
      claim,
      worker,
      call: end.call,
      inputJson: end.inputJson,
      ...(inputAt === undefined ? {} : { inputAt }),
    });
  return { kind: "final" };
}

function recordFailure(
  tx: Transaction<Notice>,
  report: AttemptReport,
  end: Extract<AttemptEnd, { kind: "failed" }>,
): AttemptResult {
  const { claim, worker, random } = report;
  const { job, rules, claimedAt: claimed } = claim;
  const entry = { ...claim.entry, failures: claim.entry.failures + 1, recover: end.recover ? 1 : 0 };
  const decision = decideRetry({
    retryable: end.retryable,
    failures: entry.failures,
    retries: rules.retries,
    backoff: rules.backoff,
    nowMs: tx.nowMs,
    ...(job.env.deadline === undefined ? {} : { deadlineMs: job.env.deadline }),
    random,
  });
  if (decision.kind === "final") {
    keep(tx, report, end.kept);
    finish(tx, job, "running", {
      entry,
      state: "failed",
      worker,
      claimed,
      error: end.error,
      ...outcomeOf(end.outcome),
    });
    return { kind: "final" };
  }
  if (isCancelRequested(tx.db, entry)) {
    // Its handler failed before it heard of the cancel: trying again would be work that nobody wants.
    keep(tx, report, end.kept);
    finish(tx, job, "running", { entry, state: "cancelled", worker, claimed, error: CANCELLED });
    return { kind: "final" };
  }
  const due = tx.nowMs + decision.delayMs;
  addHistory(tx, { ...entry, rowsMax: rules.historyRowsMax }, "attempt.failed", {
    attempt: entry.attempt,
    worker,
    claimed_at: claimed,
    error: end.error,
    retry_at: due,
    failures: entry.failures,
  });
  if (!end.recover) dropEffect(tx, entry);
  insertDelayed(tx, entry, due, "retry");
  releaseKeys(tx, job.id, job.keys);
  return { kind: "retry", delayMs: decision.delayMs };
}

/** False when the lease no longer covers the job, or its end is recorded. */
function isLeased(db: Connection, { epoch, entry }: Claim): boolean {
  const { jobs } = db.get<{ jobs: string }>("SELECT jobs FROM lease WHERE epoch = ?", epoch) ?? { jobs: "[]" };
  const leased = readJson<LeasedJob[]>(jobs, `lease ${epoch}`).some(([job]) => job === entry.job);
  return leased && db.get("SELECT 1 FROM done WHERE job = ? AND run = ?", entry.job, entry.run) === undefined;
}

/** The manifest row is the promotion of the attempt's files; with it goes what only a running attempt needs. */
function keep(tx: Transaction<Notice>, { claim, artifactRoot }: AttemptReport, kept: KeptFiles | undefined): void {
  const { entry, rules } = claim;
  if (rules.recordsEffects || claim.effect !== undefined) dropEffect(tx, entry);
  if (kept === undefined) return;
  tx.db.run(
    "INSERT INTO manifest (job, run, root, folder, at, moved, files) VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
    entry.job,
    entry.run,
    artifactRoot,
    kept.folder,
    tx.nowMs,
    JSON.stringify(kept.files),
  );
}

function outcomeOf(outcome: Outcome | undefined): { outcome?: Outcome } {
  return outcome === undefined ? {} : { outcome };
}

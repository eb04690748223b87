import { CANCELLED } from "../../../attempt/settle.ts";
import type { Transaction } from "../../../database/writer.ts";
import { decideReclaim } from "../../../job/crash.ts";
import type { Claim } from "../lease/claim.ts";
import { insertDelayed } from "../queue/insert-delayed.ts";
import { isCancelRequested } from "../rows/cancel-request.ts";
import { hasEffect } from "../rows/effect-row.ts";
import type { Entry } from "../rows/entry.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";
import { carryOut } from "./carry-out.ts";

/** A worker that stops gives back what it runs; nothing failed and nothing crashed. */
export function giveBack(tx: Transaction<Notice>, claim: Claim, worker: number): "released" | "final" {
  const { entry, job, rules } = claim;
  const decision = decideReclaim({
    cancelRequested: isCancelRequested(tx.db, entry),
    chargeCrash: false,
    crashes: entry.crashes,
    crashesMax: rules.crashesMax,
    afterCrash: job.env.after_crash ?? "rerun",
    recordsEffects: rules.recordsEffects,
    hasEffect: hasEffect(tx.db, entry),
  });
  if (decision.kind === "again")
    addHistory(tx, { ...entry, rowsMax: rules.historyRowsMax }, "attempt.released", {
      attempt: entry.attempt,
      worker,
      claimed_at: claim.claimedAt,
      reason: "stopping",
    });
  carryOut(tx, decision, { job, entry, worker, claimed: claim.claimedAt, cancelled: CANCELLED });
  return decision.kind === "again" ? "released" : "final";
}

/** The machine that started the effect may come back: the job waits, and this look at it was no attempt. */
export function leaveForAdoption(tx: Transaction<Notice>, claim: Claim, delayMs: number): void {
  const entry: Entry = { ...claim.entry, attempt: claim.entry.attempt - 1 };
  insertDelayed(tx, entry, tx.nowMs + delayMs, "adopt");
}

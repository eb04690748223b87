import type { Transaction } from "../../../database/writer.ts";
import { endTooLate } from "../ending/end-too-late.ts";
import { insertDelayed } from "../queue/insert-delayed.ts";
import { takeUnit } from "../queue/rate-bucket.ts";
import { hasEffect } from "../rows/effect-row.ts";
import { type Entry, GOES_ON } from "../rows/entry.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";

/**
 * The last question before a job that was taken out of ready is leased: is it still in time, and does its rate limit let
 * it start? False: it stands in done or delayed instead.
 */
export function mayStart(tx: Transaction<Notice>, interned: Interned, job: JobRow, entry: Entry): boolean {
  const { expires, deadline, rate_key: key } = job.env;
  // After a time without workers the first claim may come before the timer of what expired meanwhile.
  // What was started outside is ended by the attempt that takes it over, which has no time for anything else.
  if (deadline !== undefined && deadline <= tx.nowMs && !hasEffect(tx.db, entry))
    return endTooLate(tx, job, { entry, kind: "deadline", at: deadline });
  if (expires !== undefined && expires <= tx.nowMs && entry.attempt === 0 && entry.run === 1)
    return endTooLate(tx, job, { entry, kind: "expires", at: expires });
  // What goes on was started before.
  const rate = key === undefined || entry.recover === GOES_ON ? undefined : interned.rules(tx.db, job.rules).rate;
  if (rate === undefined || key === undefined) return true;
  const decision = takeUnit(tx, key, rate);
  if (decision.kind === "start") return true;
  insertDelayed(tx, entry, decision.untilMs, "rate");
  return false;
}

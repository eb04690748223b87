import type { Awaited, Issued, PlacedCall } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { NOTHING } from "../../../job/durable/outcome.ts";
import { newestEvent } from "../events/emit.ts";
import { findEvent, takeEvent } from "../events/find-event.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease } from "../lease/lease.ts";
import type { Notice } from "../rows/notice.ts";
import { insertRecord } from "./record-call.ts";

/**
 * Records a call that waits, and looks in the same transaction whether what it waits for is there: an event that comes before,
 * at the same instant or after is never lost.
 *
 * @throws AppError `LEASE_LOST`.
 */
export function issueWait(
  tx: Transaction<Notice>,
  claim: Claim,
  call: PlacedCall,
  awaited: Awaited,
): Exclude<Issued, { kind: "cancelled" }> {
  checkLease(tx, claim.epoch);
  return awaited.kind === "sleep" ? issueSleep(tx, claim, call, awaited) : issueEvent(tx, claim, call, awaited);
}

type Waiting = Exclude<Issued, { kind: "cancelled" }>;

const OPEN: Waiting = { kind: "open", suspended: false };

function issueSleep(
  tx: Transaction<Notice>,
  { entry }: Claim,
  call: PlacedCall,
  { forMs, untilMs }: Extract<Awaited, { kind: "sleep" }>,
): Waiting {
  // The clock's milliseconds are cut off: one more, so that it is never early.
  const due = forMs === undefined ? (untilMs ?? 0) : tx.nowMs + forMs + 1;
  if (due <= tx.nowMs) {
    insertRecord(tx, entry, call, NOTHING);
    return { kind: "settled", outcome: NOTHING };
  }
  insertRecord(tx, entry, call, null);
  tx.db.run("INSERT INTO wait (job, run, position, due) VALUES (?, ?, ?, ?)", entry.job, entry.run, call.position, due);
  tx.notify({ kind: "due", atMs: due });
  return OPEN;
}

function issueEvent(
  tx: Transaction<Notice>,
  { entry, job }: Claim,
  call: PlacedCall,
  { event, match, timeoutMs, lookBackMs }: Extract<Awaited, { kind: "event" }>,
): Waiting {
  if (job.env.since === undefined)
    throw new AppError("INTERNAL", `job ${entry.job} waits for an event and does not know when it began`);
  const found = findEvent(tx, {
    job: entry.job,
    event,
    match,
    after: job.env.since,
    ...(lookBackMs === undefined ? {} : { fromMs: tx.nowMs - lookBackMs }),
  });
  if (found !== undefined) {
    takeEvent(tx, entry.job, found.id);
    insertRecord(tx, entry, call, found.payload);
    return { kind: "settled", outcome: found.payload };
  }
  insertRecord(tx, entry, call, null);
  const due = timeoutMs === undefined ? null : tx.nowMs + timeoutMs + 1;
  tx.db.run(
    "INSERT INTO wait (job, run, position, due, event, shape, key, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    entry.job,
    entry.run,
    call.position,
    due,
    event,
    match.shape,
    match.key,
    newestEvent(tx),
  );
  if (due !== null) tx.notify({ kind: "due", atMs: due });
  return OPEN;
}

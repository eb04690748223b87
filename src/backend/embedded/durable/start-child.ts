import type { ChildRequest, Issued, PlacedCall } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { writeValue } from "../../../job/durable/outcome.ts";
import { isFinal } from "../../../job/state.ts";
import type { Acceptance } from "../../acceptance.ts";
import { accept } from "../accepting/accept.ts";
import type { AcceptParts } from "../accepting/accept-parts.ts";
import { settleChild } from "../ending/settle-child.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease } from "../lease/lease.ts";
import type { ValueReference } from "../rows/env.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf } from "../rows/standing.ts";
import { insertRecord } from "./record-call.ts";

/** A child to make. */
export interface NewChild {
  readonly claim: Claim;
  readonly call: PlacedCall;
  readonly acceptance: Acceptance;
  readonly awaited: ChildRequest["awaited"];
  readonly inputAt?: ValueReference;
}

/**
 * Makes a child and records the call in one transaction. The child's slot is the position, so there is one however often.
 *
 * @throws AppError `LEASE_LOST`, and what accepting throws.
 */
export function startChild(
  tx: Transaction<Notice>,
  parts: AcceptParts,
  { claim, call, acceptance, awaited, inputAt }: NewChild,
): Exclude<Issued, { kind: "cancelled" }> {
  checkLease(tx, claim.epoch);
  const { entry } = claim;
  const { jobId, state, existing } = accept(tx, parts, acceptance, { inputAt });
  if (!awaited) {
    const outcome = writeValue(JSON.stringify({ jobId }));
    insertRecord(tx, entry, call, outcome);
    return { kind: "settled", outcome };
  }
  const child = parts.numbers.numberOf(jobId) ?? -1;
  insertRecord(tx, entry, call, null);
  tx.db.run(
    "INSERT INTO wait (job, run, position, key, child) VALUES (?, ?, ?, ?, ?)",
    entry.job,
    entry.run,
    call.position,
    jobId,
    child,
  );
  // A new one stands where it was put; its key may have sent it to its end at once.
  if (!existing && !isFinal(state)) return { kind: "open", suspended: false };
  const job = readJob(tx.db, child);
  const standing = job === undefined ? undefined : standingOf(tx.db, job);
  if (standing?.kind === "done") settleChild(tx, { job: child, ...standing });
  return { kind: "open", suspended: false };
}

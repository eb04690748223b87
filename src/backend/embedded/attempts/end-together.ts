import type { AttemptEnd } from "../../../attempt/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { finishTogether, isPlain } from "../ending/finish-together.ts";
import type { Claim } from "../lease/claim.ts";
import { checkLease, deleteLease } from "../lease/lease.ts";
import type { Notice } from "../rows/notice.ts";

/** The end of an attempt that completed and kept no files. */
export type PlainAttemptEnd = Extract<AttemptEnd, { kind: "completed" }>;

/** True when the end may be recorded by {@link endTogether}. */
export function isPlainAttempt({ job, rules, effect }: Claim, end: AttemptEnd): end is PlainAttemptEnd {
  return (
    end.kind === "completed" && end.kept === undefined && !rules.recordsEffects && effect === undefined && isPlain(job)
  );
}

/** Ends of one worker that came together. */
export interface EndsTogether {
  readonly worker: number;
  readonly ends: readonly { readonly claim: Claim; readonly end: PlainAttemptEnd }[];
  /** Leases that cover nothing else any more. */
  readonly emptied: readonly number[];
}

/**
 * Records ends that came together, under their leases. All or none: whoever asks records them one by one where this throws.
 *
 * @throws AppError `LEASE_LOST` when one of the leases was taken away.
 */
export function endTogether(tx: Transaction<Notice>, { worker, ends, emptied }: EndsTogether): void {
  for (const { claim } of ends) checkLease(tx, claim.epoch);
  finishTogether(
    tx,
    worker,
    ends.map(({ claim: { entry, job, claimedAt: claimed }, end: { resultJson: result, outcome } }) => ({
      entry,
      job,
      claimed,
      result,
      ...(outcome === undefined ? {} : { outcome }),
    })),
  );
  for (const epoch of emptied) deleteLease(tx, epoch);
}

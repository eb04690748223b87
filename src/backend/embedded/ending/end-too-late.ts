import type { Transaction } from "../../../database/writer.ts";
import type { JobState } from "../../../job/state.ts";
import type { Entry } from "../rows/entry.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { finish } from "./finish.ts";

/** A job that came too late. */
export interface TooLate {
  readonly entry: Pick<Entry, "job" | "run" | "attempt" | "failures" | "crashes">;
  /** `expires`: it did not start in time; `deadline`: it did not finish in time. */
  readonly kind: "expires" | "deadline";
  /** When that was. */
  readonly at: number;
  /** Where it stood. Default `queued`. */
  readonly from?: JobState;
}

/** Ends a job that is not running and came too late to start or to finish. Always false: it may not start. */
export function endTooLate(tx: Transaction<Notice>, job: JobRow, { entry, kind, at, from = "queued" }: TooLate): false {
  const when = new Date(at).toISOString();
  if (kind === "expires")
    finish(tx, job, from, {
      entry,
      state: "expired",
      error: { code: "EXPIRED", message: `it did not start before ${when}` },
    });
  else
    finish(tx, job, from, {
      entry,
      state: "failed",
      error: { code: "DEADLINE_EXCEEDED", message: `it did not finish before its deadline, ${when}` },
    });
  return false;
}

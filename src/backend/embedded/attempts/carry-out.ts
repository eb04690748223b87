import type { Transaction } from "../../../database/writer.ts";
import type { ErrorRecord } from "../../../error.ts";
import type { ReclaimDecision } from "../../../job/crash.ts";
import { finish } from "../ending/finish.ts";
import { returnToReady } from "../queue/admission.ts";
import type { Entry } from "../rows/entry.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";

/** An attempt that ends without having said how. */
export interface Interrupted {
  readonly job: JobRow;
  readonly entry: Omit<Entry, "recover">;
  readonly worker: number;
  /** When it was claimed. */
  readonly claimed: number;
  /** What its job says where it was cancelled. */
  readonly cancelled: ErrorRecord;
}

/** Does what was decided over an attempt that was interrupted: its run goes back to the queue, or is over. */
export function carryOut(
  tx: Transaction<Notice>,
  decision: ReclaimDecision,
  { job, entry, worker, claimed, cancelled }: Interrupted,
): void {
  switch (decision.kind) {
    case "again":
      returnToReady(tx, job, { ...entry, recover: decision.recover ? 1 : 0 });
      return;
    case "cancelled":
      finish(tx, job, "running", { entry, state: "cancelled", worker, claimed, error: cancelled });
      return;
    case "failed": {
      const { code, message } = decision;
      const unknown = code === "OUTCOME_UNKNOWN" ? { outcome: "unknown" as const } : {};
      finish(tx, job, "running", { entry, state: "failed", worker, claimed, error: { code, message }, ...unknown });
    }
  }
}

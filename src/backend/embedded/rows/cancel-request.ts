import type { Connection } from "../../../database/connection.ts";
import type { RunOf } from "./entry.ts";

/** True when somebody asked to cancel a run. The row stays until the run has ended, and is swept up after. */
export function isCancelRequested(db: Connection, { job, run }: RunOf): boolean {
  return db.get("SELECT 1 FROM cancel_request WHERE job = ? AND run = ?", job, run) !== undefined;
}

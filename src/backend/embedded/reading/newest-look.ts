import { type Connection, readJson } from "../../../database/connection.ts";
import type { ErrorRecord } from "../../../error.ts";
import type { RunOf } from "../rows/entry.ts";

/** What the history has of the looks at an approval that could not be verified. */
export type Look = {
  readonly attempt: number;
  readonly worker: number;
  readonly error: ErrorRecord;
  /** How many there were. */
  readonly looks: number;
  /** Unix milliseconds. */
  readonly retry_at: number;
};

/** Why a run was put off, where that was the last unusual thing that happened to it. */
export function newestLook(
  db: Connection,
  { job, run }: RunOf,
): { readonly seq: number; readonly data: Look } | undefined {
  const row = db.get<{ seq: number; event: string; data: string }>(
    "SELECT seq, event, data FROM history WHERE job = ? AND run = ? ORDER BY seq DESC LIMIT 1",
    job,
    run,
  );
  if (row?.event !== "approval.unverified") return undefined;
  return { seq: row.seq, data: readJson<Look>(row.data, `history of job ${job}`) };
}

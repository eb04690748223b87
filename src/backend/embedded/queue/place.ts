import type { Transaction } from "../../../database/writer.ts";
import type { JobState } from "../../../job/state.ts";
import type { Entry } from "../rows/entry.ts";
import type { JobRow } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { admit } from "./admission.ts";
import { insertDelayed } from "./insert-delayed.ts";

/** Where a run was put; `refused`: nowhere, because of the strategy of a key that another job holds. */
export type Placement =
  | { readonly kind: "placed"; readonly state: Extract<JobState, "scheduled" | "queued"> }
  | { readonly kind: "refused"; readonly message: string };

/** Puts a run that has not started where it belongs: delayed, ready or blocked. */
export function place(
  tx: Transaction<Notice>,
  job: Pick<JobRow, "queue" | "rank" | "due" | "keys">,
  entry: Entry,
): Placement {
  if (job.due > tx.nowMs) {
    insertDelayed(tx, entry, job.due, "due");
    return { kind: "placed", state: "scheduled" };
  }
  if (admit(tx, job, entry, true) !== "refused") return { kind: "placed", state: "queued" };
  const key = job.keys.find((need) => need.strategy === "cancel-newest")?.key ?? "";
  return { kind: "refused", message: `another job holds the key ${key} and its rule is to cancel the newest` };
}

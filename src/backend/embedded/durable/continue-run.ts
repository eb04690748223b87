import type { PlacedCall } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { NOTHING } from "../../../job/durable/outcome.ts";
import { recordEnd } from "../ending/finish.ts";
import type { Claim } from "../lease/claim.ts";
import { insertReady } from "../queue/admission.ts";
import { freshEntry, GOES_ON } from "../rows/entry.ts";
import type { ValueReference } from "../rows/env.ts";
import { addHistory } from "../rows/history-row.ts";
import type { Notice } from "../rows/notice.ts";
import { insertRecord } from "./record-call.ts";

/** A run that ends its log. */
export interface Continuation {
  readonly claim: Claim;
  readonly worker: number;
  readonly call: PlacedCall;
  readonly inputJson: string;
  /** Where the input stands when it is too large for the database. */
  readonly inputAt?: ValueReference;
}

/** Ends a run and starts the next one with another input: same job, same keys, an empty record, and events that it was not given. */
export function continueRun(tx: Transaction<Notice>, { claim, worker, call, inputJson, inputAt }: Continuation): void {
  const { entry, job, claimedAt } = claim;
  const run = entry.run + 1;
  insertRecord(tx, entry, call, NOTHING);
  tx.db.run("DELETE FROM wait WHERE job = ? AND run = ?", entry.job, entry.run);
  recordEnd(tx, { entry, state: "completed", worker, claimed: claimedAt, result: "null" });
  const input =
    inputAt === undefined
      ? { member: "input", text: inputJson }
      : { member: "input_at", text: JSON.stringify(inputAt) };
  tx.db.run(
    `UPDATE job SET env = json_set(json_remove(env, '$.input', '$.input_at'), '$.${input.member}', json(?), '$.first_run', ?) WHERE id = ?`,
    input.text,
    job.env.first_run ?? entry.run,
    job.id,
  );
  if (inputAt !== undefined)
    tx.db.run("INSERT INTO value (job, name) VALUES (?, ?) ON CONFLICT DO NOTHING", job.id, inputAt.name);
  if (job.env.deadline !== undefined)
    tx.db.run(
      "UPDATE expiry SET run = ? WHERE at = ? AND job = ? AND kind = 'deadline'",
      run,
      job.env.deadline,
      job.id,
    );
  addHistory(tx, { job: job.id, run }, "run.started", { after: "continued", due_before: job.due });
  insertReady(tx, job, { ...freshEntry(job.id, run), recover: GOES_ON });
}

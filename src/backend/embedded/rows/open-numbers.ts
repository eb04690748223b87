import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { OpenMode } from "../../../database/open.ts";
import { Writer } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { JobNumbers } from "./job-number.ts";
import type { Notice } from "./notice.ts";

/**
 * What makes ids of numbers; written once for each database.
 *
 * @throws AppError `DATABASE_MISSING` for a reader of a database in which nothing was ever enqueued: it knows no id.
 */
export async function openNumbers(
  db: Connection,
  { mode, clock }: { readonly mode: OpenMode; readonly clock: Clock },
): Promise<JobNumbers> {
  const known = JobNumbers.load(db);
  if (known !== undefined) return known;
  if (mode === "read")
    throw new AppError(
      "DATABASE_MISSING",
      `database ${db.path} has no jobs yet; enqueue one or start \`windlass worker\``,
    );
  // Through a writer, because another process may be writing at this moment.
  const writer = new Writer<Notice>(db, clock, { onCommit: () => undefined, onRollback: () => undefined });
  return writer.mutate((tx) => JobNumbers.create(tx.db));
}

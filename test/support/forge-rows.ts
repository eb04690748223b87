import { DatabaseSync } from "node:sqlite";

/** Statements that put the job of an approval where a worker takes it. `J` is its number. */
export const RELEASE = [
  "INSERT INTO ready SELECT j.queue, j.rank, w.job, w.run, w.attempt, w.failures, w.crashes, w.recover FROM waiting w JOIN job j ON j.id = w.job WHERE w.job = J",
  "DELETE FROM wait WHERE job = J",
  "DELETE FROM waiting WHERE job = J",
];

/** Statements that say of an approval that it was given. */
export const APPROVED = ["UPDATE approval SET state = 'approved', concluded = asked, used = asked WHERE id = 'A'"];

/**
 * Writes rows as somebody does who knows the tables: by default, that an approval was given and its job may run.
 *
 * @param statements `A` in quotes stands for the approval, `J` for the number of its job.
 */
export function forgeRows(
  path: string,
  approvalId: string,
  statements: readonly string[] = [...APPROVED, ...RELEASE],
): void {
  using db = new DatabaseSync(path, { timeout: 10_000 });
  const row = db.prepare("SELECT job FROM approval WHERE id = ?").get(approvalId);
  db.exec("BEGIN IMMEDIATE");
  for (const statement of statements)
    db.exec(statement.replaceAll("'A'", `'${approvalId}'`).replaceAll(/\bJ\b/g, String(row?.["job"])));
  db.exec("COMMIT");
}

const [path, approvalId, ...statements] = process.argv.slice(2);
if (import.meta.main && path !== undefined && approvalId !== undefined)
  forgeRows(path, approvalId, statements.length === 0 ? undefined : statements);

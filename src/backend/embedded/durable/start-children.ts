import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { accept } from "../accepting/accept.ts";
import type { AcceptParts } from "../accepting/accept-parts.ts";
import { isCancelled } from "../accepting/family.ts";
import { NewRows } from "../accepting/new-rows.ts";
import { checkLease } from "../lease/lease.ts";
import type { Notice } from "../rows/notice.ts";
import type { NewChild } from "./start-child.ts";

const INSERT_CHILDREN = "INSERT INTO child (parent, run, slot, job) SELECT ?, ?, value, ? + key FROM json_each(?)";
const INSERT_RECORDS =
  "INSERT INTO record (job, run, position, kind, name, digest, at, settled, outcome) SELECT ?, ?, ? + key, ?, ?, value, ?, NULL, NULL FROM json_each(?)";
const INSERT_WAITS =
  "INSERT INTO wait (job, run, position, key, child) SELECT ?, ?, ? + key, value, ? + key FROM json_each(?)";

/**
 * Makes children of one type that their parent waits for, and records their calls, whose positions follow each other. Five
 * statements for all of them: a child takes a third of the time that it takes alone. A slot that is taken already is found by the
 * key of `child`.
 *
 * @throws AppError what accepting one of them throws, and `INTERNAL` where they must be made one by one.
 */
export function startChildren(tx: Transaction<Notice>, parts: AcceptParts, children: readonly NewChild[]): void {
  const [first] = children;
  if (first === undefined) return;
  const { claim, call } = first;
  const { job, run } = claim.entry;
  checkLease(tx, claim.epoch);
  if (isCancelled(tx.db, job, run)) throw oneByOne();
  const rows = new NewRows(tx);
  const ids = children.map(
    ({ acceptance, inputAt }) => accept(tx, parts, acceptance, { inputAt, rows, isSibling: true }).jobId,
  );
  rows.write();
  const number = parts.numbers.numberOf(ids[0] ?? "") ?? 0;
  // Within a commit one number follows the other, or the rows below would be those of other jobs.
  if (parts.numbers.numberOf(ids.at(-1) ?? "") !== number + ids.length - 1) throw oneByOne();
  const slots = JSON.stringify(children.map(({ acceptance }) => acceptance.spec.parent?.slot));
  const digests = JSON.stringify(children.map((child) => child.call.digest));
  tx.db.run(INSERT_CHILDREN, job, run, number, slots);
  tx.db.run(INSERT_RECORDS, job, run, call.position, call.kind, call.name, tx.nowMs, digests);
  tx.db.run(INSERT_WAITS, job, run, call.position, number, JSON.stringify(ids));
}

function oneByOne(): AppError {
  return new AppError("INTERNAL", "these children cannot be made together");
}

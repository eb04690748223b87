import type { Connection, SqlValue } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import { isUuid7 } from "../../../id.ts";
import type { ApprovalFilter, ApprovalStore } from "../../approvals.ts";
import type { Notice } from "../rows/notice.ts";
import { type ApprovalParts, approvalById, readApprovals } from "./approval-row.ts";
import { storeDecision } from "./store-decision.ts";

/** What the approvals of a database stand on. */
export interface ApprovalStoreParts extends ApprovalParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
}

/** The approvals in the database. */
export function approvalStore(parts: ApprovalStoreParts): ApprovalStore {
  const { db, writer } = parts;
  return {
    list: async (filter) => db.snapshot(() => listApprovals(parts, filter)),
    find: async (approvalId) => db.snapshot(() => approvalById(db, parts, approvalId)),
    decide: (approvalId, decision) => writer.mutate((tx) => storeDecision(tx, parts, approvalId, decision)),
  };
}

/** Ids begin with the time of asking, so their order is the order of the questions. */
function listApprovals(
  parts: ApprovalStoreParts,
  { state, jobId, limit, cursor }: ApprovalFilter,
): Awaited<ReturnType<ApprovalStore["list"]>> {
  if (cursor !== undefined && !isUuid7(cursor))
    throw new AppError("INVALID_INPUT", `cursor ${JSON.stringify(cursor)} is not one that an earlier page printed`);
  const where = ["id > ?"];
  const values: SqlValue[] = [cursor ?? ""];
  if (state !== undefined) {
    where.push("state = ?");
    values.push(state);
  }
  if (jobId !== undefined) {
    where.push("job = ?");
    values.push(parts.numbers.numberOf(jobId) ?? -1);
  }
  const found = readApprovals(parts.db, parts, `${where.join(" AND ")} ORDER BY id LIMIT ?`, ...values, limit + 1);
  const approvals = found.slice(0, limit);
  return { approvals, cursor: found.length > limit ? (approvals.at(-1)?.approvalId ?? null) : null };
}

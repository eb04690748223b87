import type { RunResult, SqlValue } from "../../database/connection.ts";
import type { Transaction } from "../../database/writer.ts";
import { AppError } from "../../error.ts";
import type { Notice } from "./rows/notice.ts";

/** The user's side of a transaction: rows of their own tables in the same file. */
export interface UserTransaction {
  /** Runs a statement that changes rows or makes tables; values are bound to its `?`. */
  run(sql: string, ...values: SqlValue[]): RunResult;
  /** The first row, `undefined` when there is none. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  /** All rows. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
}

/** These would end or leave the transaction that other callers share; comments may stand before them. */
const REFUSED =
  /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(begin|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum)\b/i;

/** The user's side of the writer's transaction. @param call named in the error of a statement that is refused. */
export function userTransaction(tx: Transaction<Notice>, call: string): UserTransaction {
  const check = (sql: string): string => {
    if (REFUSED.test(sql))
      throw new AppError(
        "INVALID_INPUT",
        `${call}: ${JSON.stringify(sql.slice(0, 40))} would end a transaction that other calls share; only read and write rows here`,
      );
    return sql;
  };
  return {
    run: (sql, ...values) => tx.db.run(check(sql), ...values),
    get: <Row>(sql: string, ...values: SqlValue[]) => tx.db.get<Row>(check(sql), ...values),
    all: <Row>(sql: string, ...values: SqlValue[]) => tx.db.all<Row>(check(sql), ...values),
  };
}

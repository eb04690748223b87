import type { RunResult, SqlValue } from "../../../database/connection.ts";
import type { Transaction, Writer } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { Acceptance, Accepted } from "../../backend.ts";
import type { Notice } from "../notice.ts";

/** The user's side of a transaction: rows of their own tables in the same file. */
export interface UserTransaction {
  /** Runs a statement that changes rows or makes tables; values are bound to its `?`. */
  run(sql: string, ...values: SqlValue[]): RunResult;
  /** The first row, `undefined` when there is none. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  /** All rows. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
}

/** Runs a synchronous function on the writer's connection; what it wrote and what it enqueued commit together. */
export type EnqueueWith = <T>(
  action: (db: UserTransaction, accept: (acceptance: Acceptance) => Accepted) => T,
) => Promise<T>;

/** These would end or leave the transaction that other callers share; comments may stand before them. */
const REFUSED =
  /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(begin|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum)\b/i;

/** Binds {@link EnqueueWith} to a writer. */
export function enqueueWith({
  writer,
  accept,
}: {
  readonly writer: Writer<Notice>;
  readonly accept: (tx: Transaction<Notice>, acceptance: Acceptance) => Accepted;
}): EnqueueWith {
  return (action) =>
    writer.mutate((tx) => {
      const check = (sql: string): string => {
        if (REFUSED.test(sql))
          throw new AppError(
            "INVALID_INPUT",
            `enqueueWith: ${JSON.stringify(sql.slice(0, 40))} would end a transaction that other calls share; only read and write rows here`,
          );
        return sql;
      };
      const value = action(
        {
          run: (sql, ...values) => tx.db.run(check(sql), ...values),
          get: <Row>(sql: string, ...values: SqlValue[]) => tx.db.get<Row>(check(sql), ...values),
          all: <Row>(sql: string, ...values: SqlValue[]) => tx.db.all<Row>(check(sql), ...values),
        },
        (acceptance) => accept(tx, acceptance),
      );
      if (value instanceof Promise)
        throw new AppError("INVALID_INPUT", "enqueueWith takes a synchronous function: its transaction cannot wait");
      return value;
    });
}

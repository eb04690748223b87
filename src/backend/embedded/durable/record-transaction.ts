import type { DurableServices, PlacedCall } from "../../../attempt/durable/services.ts";
import type { Transaction } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { RunOf } from "../rows/entry.ts";
import type { Notice } from "../rows/notice.ts";
import { userTransaction } from "../user-transaction.ts";
import { insertRecord } from "./record-call.ts";

type Arguments = Parameters<DurableServices["transaction"]>;

/** Runs a user's function on rows of their own, and records what came of it in the same transaction. */
export function recordTransaction(
  tx: Transaction<Notice>,
  run: RunOf,
  { call, action, write }: { readonly call: PlacedCall; readonly action: Arguments[1]; readonly write: Arguments[2] },
): string {
  const outcome = act(tx, action, write);
  insertRecord(tx, run, call, outcome);
  return outcome;
}

/** What throws is undone by a savepoint of its own: its error is recorded all the same. */
function act(tx: Transaction<Notice>, action: Arguments[1], write: Arguments[2]): string {
  tx.db.run("SAVEPOINT durable");
  try {
    const value = action(userTransaction(tx, "transaction"));
    if (value instanceof Promise) {
      value.catch(() => undefined);
      throw new AppError("INVALID_INPUT", "ctx.transaction takes a synchronous function: its transaction cannot wait");
    }
    const outcome = write({ value });
    tx.db.run("RELEASE durable");
    return outcome;
  } catch (error) {
    // A full disk ends the whole transaction.
    if (!tx.db.isTransaction) throw error;
    tx.db.run("ROLLBACK TO durable");
    tx.db.run("RELEASE durable");
    return write({ error });
  }
}

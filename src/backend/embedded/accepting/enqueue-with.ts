import type { Transaction, Writer } from "../../../database/writer.ts";
import { AppError } from "../../../error.ts";
import type { Acceptance, Accepted } from "../../acceptance.ts";
import type { Notice } from "../rows/notice.ts";
import { type UserTransaction, userTransaction } from "../user-transaction.ts";

/** Runs a synchronous function on the writer's connection; what it wrote and what it enqueued commit together. */
export type EnqueueWith = <T>(
  action: (db: UserTransaction, accept: (acceptance: Acceptance) => Accepted) => T,
) => Promise<T>;

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
      const value = action(userTransaction(tx, "enqueueWith"), (acceptance) => accept(tx, acceptance));
      if (value instanceof Promise)
        throw new AppError("INVALID_INPUT", "enqueueWith takes a synchronous function: its transaction cannot wait");
      return value;
    });
}

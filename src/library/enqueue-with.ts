import type { UserTransaction } from "../backend/embedded/accepting/enqueue-with.ts";
import type { EmbeddedBackend } from "../backend/embedded/embedded.ts";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import type { SubmitOptions } from "../job/options.ts";
import { type ClientParts, loadedName } from "./parts.ts";
import type { InputOf, SubmittedJob } from "./requests.ts";
import { jobRequest, submittedJob } from "./submit-jobs.ts";

export type { RunResult, SqlValue } from "../database/connection.ts";
export type { UserTransaction };

/** Enqueues a job inside a transaction. Its type must be loaded, because nothing can be waited for here. */
export interface Enqueue {
  /** @throws AppError as `submit` does; unless it is caught, everything is undone. */
  <T extends JobType>(type: T, input: InputOf<T>, options?: SubmitOptions): SubmittedJob;
  (type: string, input: unknown, options?: SubmitOptions): SubmittedJob;
}

/** Refuses a function that returns a promise when it is compiled. */
type Synchronous<T> = [T] extends [never]
  ? unknown
  : [T] extends [PromiseLike<unknown>]
    ? "enqueueWith takes a synchronous function"
    : unknown;

/** What only the embedded backend can do. */
export interface EmbeddedClient {
  /** The SQLite file, absolute. */
  readonly path: string;
  /**
   * Runs a synchronous function inside one transaction on Windlass's database: rows of your own tables in the same file
   * and the jobs that it enqueues commit together, or not at all when it throws. It resolves with what the function
   * returned, after the commit is on disk.
   *
   * Other calls share the transaction, so keep it short; statements that begin or end transactions, `PRAGMA` and `ATTACH`
   * are refused. Names of your own tables should begin with a prefix of yours.
   *
   * @throws AppError `INVALID_INPUT` for a function that returns a promise; what the function threw.
   */
  enqueueWith<T>(action: ((db: UserTransaction, enqueue: Enqueue) => T) & Synchronous<T>): Promise<T>;
}

/** Binds {@link EmbeddedClient.enqueueWith} to a client. */
export function enqueueWith<T>(
  parts: ClientParts,
  backend: EmbeddedBackend,
  action: (db: UserTransaction, enqueue: Enqueue) => T,
): Promise<T> {
  const { submit } = parts.windlass;
  return backend.enqueueWith((db, accept) => {
    let open = true;
    // What is kept and used later would write outside the transaction, or into that of somebody else.
    const inside = <R>(act: () => R): R => {
      if (!open)
        throw new AppError("INVALID_INPUT", "enqueueWith: its transaction is over; use db and enqueue inside it");
      return act();
    };
    const guarded: UserTransaction = {
      run: (sql, ...values) => inside(() => db.run(sql, ...values)),
      get: (sql, ...values) => inside(() => db.get(sql, ...values)),
      all: (sql, ...values) => inside(() => db.all(sql, ...values)),
    };
    const enqueue = (type: JobType | string, input: unknown, options: SubmitOptions = {}): SubmittedJob =>
      inside(() => {
        loadedName(parts, type);
        return submittedJob(accept(submit.prepare(jobRequest(parts, { type, input, options }))));
      });
    try {
      return action(guarded, enqueue);
    } finally {
      open = false;
    }
  });
}

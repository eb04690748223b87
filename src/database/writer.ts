import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";
import type { Connection } from "./connection.ts";
import { databaseError, sqliteCode } from "./database-error.ts";

/** What a mutation sees: the connection inside its savepoint, and the one time that the whole transaction has. */
export interface Transaction<Notice> {
  readonly db: Connection;
  /** Unix milliseconds, the same for every mutation of one commit. */
  readonly nowMs: number;
  /** Says something to the process after the commit, and only then. */
  notify(notice: Notice): void;
}

/** A mutation: synchronous, all or nothing. */
export type Mutation<T, Notice> = (tx: Transaction<Notice>) => T;

/** How a mutation is committed. */
export interface MutateOptions {
  /** True (the default) waits for the disk; false is enough for what a crash may undo, such as a claim. */
  readonly durable?: boolean;
  /** About how much it writes, where that is much: a commit takes no more of them than some megabytes. Default 0. */
  readonly bytes?: number;
}

/**
 * A mutation of which many are made at the same time. Those that follow each other in the queue are made by one of `all`, under
 * one savepoint; if that throws, nothing of it stays and each is made by `one`, with an answer of its own.
 */
export interface Gathered<Member, T, Notice> {
  readonly one: (tx: Transaction<Notice>, member: Member) => T;
  /** @returns the answers in the order of the members. */
  readonly all: (tx: Transaction<Notice>, members: readonly Member[]) => readonly T[];
}

/** What the owner of a writer is told. */
export interface WriterHooks<Notice> {
  /** After each commit that had notices. */
  readonly onCommit: (notices: readonly Notice[]) => void;
  /** After a mutation or a whole transaction was undone: what was remembered of rows that it made is no longer true. */
  readonly onRollback: () => void;
}

interface Waiting<Notice> {
  readonly mutation: Mutation<unknown, Notice>;
  readonly gathered?: Gathered<unknown, unknown, Notice>;
  readonly member?: unknown;
  readonly durable: boolean;
  readonly bytes: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One commit takes at most this many mutations, and starts no further one after so many bytes or this long. */
const BATCH_MAX = 4_096;
const BATCH_BYTES = 4 * 2 ** 20;
const BATCH_MS = 5;
/** After so many mutations the time is looked at. */
const LOOK_EACH = 16;
/** So many mutations are made together, or until they write so many bytes. */
const GATHERED_MAX = 256;
const GATHERED_BYTES = 2 ** 20;
/** Tries that block the thread for 0.05-0.35 ms before yielding to the event loop, and how long to try in all. */
const QUICK_TRIES = 8;
const BUSY_LIMIT_MS = 10_000;
/** Primary result codes (https://www.sqlite.org/rescode.html). */
const [BUSY, IOERR, FULL] = [5, 10, 13];

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Group commit: every mutation of this process joins a queue that one `BEGIN IMMEDIATE` transaction flushes, each under a
 * savepoint of its own, so that one which fails leaves nothing behind and the others commit. A caller is answered after
 * the commit is on disk. Runs on the main thread: a thread of its own costs six times the throughput at 64 callers.
 */
export class Writer<Notice> {
  readonly #db: Connection;
  readonly #clock: Clock;
  readonly #hooks: WriterHooks<Notice>;
  readonly #counts = { commits: 0, mutations: 0 };
  #queue: Waiting<Notice>[] = [];
  #scheduled = false;
  #busySinceMs: number | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(db: Connection, clock: Clock, hooks: WriterHooks<Notice>) {
    this.#db = db;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** How many commits there were, and how many mutations they held. */
  get counts(): Readonly<{ commits: number; mutations: number }> {
    return { ...this.#counts };
  }

  /**
   * @throws AppError what the mutation threw; `DATABASE_FULL`, `DATABASE_BUSY` when nothing was committed;
   * `COMMIT_UNKNOWN` when nobody can know, and the caller should ask again by key.
   */
  mutate<T>(mutation: Mutation<T, Notice>, { durable = true, bytes = 0 }: MutateOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) =>
      this.#enqueue({ mutation, durable, bytes, resolve: resolve as (value: unknown) => void, reject }),
    );
  }

  /** As {@link mutate} with `one`, but together with others of the same kind where they stand beside it in the queue. */
  gather<Member, T>(
    gathered: Gathered<Member, T, Notice>,
    member: Member,
    { durable = true, bytes = 0 }: MutateOptions = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) =>
      this.#enqueue({
        mutation: (tx) => gathered.one(tx, member),
        gathered: gathered as Gathered<unknown, unknown, Notice>,
        member,
        durable,
        bytes,
        resolve: resolve as (value: unknown) => void,
        reject,
      }),
    );
  }

  /** Refuses more from now on, and commits what is waiting. */
  async close(): Promise<void> {
    // First: a caller that is answered by the last commit and asks for more would be flushed after the connection closed.
    this.#closed = true;
    if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enqueue(waiting: Waiting<Notice>): void {
    if (this.#closed) {
      waiting.reject(new AppError("DATABASE_UNWRITABLE", `database ${this.#db.path} was closed by this process`));
      return;
    }
    this.#queue.push(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  #flush = (): void => {
    this.#scheduled = false;
    const batch = this.#queue.slice(0, BATCH_MAX);
    let notices: readonly Notice[] = [];
    if (batch.length > 0) {
      try {
        if (!this.#begin(batch.some((waiting) => waiting.durable))) return;
        const applied = this.#apply(batch);
        this.#queue.splice(0, applied.taken);
        applied.answer();
        notices = applied.notices;
      } catch (error) {
        this.#refuse(batch, error);
      }
    }
    if (this.#queue.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
    if (notices.length > 0) this.#tell(notices);
  };

  /** Nothing of a batch was committed, or nobody knows. */
  #refuse(batch: readonly Waiting<Notice>[], error: unknown): void {
    if (this.#db.isTransaction) this.#db.run("ROLLBACK");
    this.#hooks.onRollback();
    this.#queue.splice(0, batch.length);
    for (const waiting of batch) waiting.reject(databaseError(error, this.#db.path));
  }

  /** Notices are hints, and the commit is made: what goes wrong with one is found by the next poll. */
  #tell(notices: readonly Notice[]): void {
    try {
      this.#hooks.onCommit(notices);
    } catch {
      // Its callers were answered; failing them now would be a lie.
    }
  }

  /** False: another process writes; the flush is tried again later. */
  #begin(durable: boolean): boolean {
    // When an unknown commit was followed by a file that could not be opened again.
    if (!this.#db.isOpen) this.#db.reopen();
    // A prepared PRAGMA synchronous acts when it is prepared and does nothing when it runs; exec is right, and must stand outside the transaction.
    this.#db.exec(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    for (let tries = 0; ; tries++) {
      try {
        this.#db.run("BEGIN IMMEDIATE");
        this.#busySinceMs = undefined;
        return true;
      } catch (error) {
        if (sqliteCode(error) !== BUSY) throw error;
        this.#busySinceMs ??= this.#clock.monotonic();
        if (this.#clock.monotonic() - this.#busySinceMs > BUSY_LIMIT_MS) {
          this.#busySinceMs = undefined;
          throw error;
        }
        if (tries >= QUICK_TRIES) break;
        Atomics.wait(sleepCell, 0, 0, 0.05 + Math.random() * 0.3);
      }
    }
    this.#scheduled = true;
    setTimeout(this.#flush, 1 + Math.random() * 2);
    return false;
  }

  /** Runs the mutations, commits, and answers what each came to. */
  #apply(batch: readonly Waiting<Notice>[]): { taken: number; answer: () => void; notices: Notice[] } {
    const notices: Notice[] = [];
    const answers: (() => void)[] = [];
    // One object for the whole commit: who keeps something for its length can key it by this.
    const tx: Transaction<Notice> = {
      db: this.#db,
      nowMs: this.#clock.now(),
      notify: (notice) => void notices.push(notice),
    };
    const startMs = this.#clock.monotonic();
    let taken = 0;
    let bytes = 0;
    for (let sinceLook = 0; taken < batch.length; ) {
      const together = gatheredFrom(batch, taken);
      answers.push(this.#applyTogether(together, tx, notices));
      taken += together.length;
      sinceLook += together.length;
      bytes += bytesOf(together);
      if (bytes >= BATCH_BYTES) break;
      if (sinceLook < LOOK_EACH) continue;
      sinceLook = 0;
      if (this.#clock.monotonic() - startMs > BATCH_MS) break;
    }
    this.#commit();
    this.#counts.commits++;
    this.#counts.mutations += taken;
    return { taken, notices, answer: () => answers.forEach((each) => void each()) };
  }

  /** One mutation, or several of one kind by one operation; where that fails, one by one. */
  #applyTogether(together: readonly Waiting<Notice>[], tx: Transaction<Notice>, notices: Notice[]): () => void {
    const [first] = together;
    if (first?.gathered !== undefined && together.length > 1) {
      const { gathered } = first;
      const made = this.#inSavepoint(
        () =>
          gathered.all(
            tx,
            together.map(({ member }) => member),
          ),
        notices,
      );
      if (made.kind === "made") return () => together.forEach(({ resolve }, index) => void resolve(made.value[index]));
    }
    const answers = together.map((waiting) => this.#applyOne(waiting, tx, notices));
    return () => answers.forEach((answer) => void answer());
  }

  #applyOne(waiting: Waiting<Notice>, tx: Transaction<Notice>, notices: Notice[]): () => void {
    const made = this.#inSavepoint(() => waiting.mutation(tx), notices);
    return made.kind === "made"
      ? () => waiting.resolve(made.value)
      : () => waiting.reject(databaseError(made.error, this.#db.path));
  }

  #inSavepoint<T>(
    action: () => T,
    notices: Notice[],
  ): { readonly kind: "made"; readonly value: T } | { readonly kind: "undone"; readonly error: unknown } {
    const db = this.#db;
    const mark = notices.length;
    db.run("SAVEPOINT mutation");
    try {
      const value = action();
      db.run("RELEASE mutation");
      return { kind: "made", value };
    } catch (error) {
      // FULL, IOERR and NOMEM end the whole transaction: then nobody in this batch is acknowledged.
      if (!db.isTransaction) throw error;
      db.run("ROLLBACK TO mutation");
      db.run("RELEASE mutation");
      notices.length = mark;
      this.#hooks.onRollback();
      return { kind: "undone", error };
    }
  }

  #commit(): void {
    try {
      this.#db.run("COMMIT");
    } catch (error) {
      const open = this.#db.isTransaction;
      if (open) this.#db.run("ROLLBACK");
      const primary = sqliteCode(error);
      // A full disk: the frame that would commit was not written whole, and a frame whose checksum is wrong counts for nothing.
      if (primary === FULL || (open && primary !== IOERR)) throw error;
      this.#reopen();
      throw new AppError(
        "COMMIT_UNKNOWN",
        `database ${this.#db.path}: the commit failed and may or may not be on disk; ask again with the same key`,
        { cause: error },
      );
    }
  }

  /** Where the disk is gone for the moment, the next flush tries again. */
  #reopen(): void {
    try {
      this.#db.reopen();
    } catch {
      // What went wrong with the commit is what the callers should hear.
    }
  }
}

/** The mutation at a place of the queue, and those that follow it and are made together with it. */
function gatheredFrom<Notice>(batch: readonly Waiting<Notice>[], from: number): readonly Waiting<Notice>[] {
  const kind = batch[from]?.gathered;
  let to = from + 1;
  if (kind !== undefined)
    for (let bytes = batch[from]?.bytes ?? 0; to < batch.length && to - from < GATHERED_MAX; to++) {
      bytes += batch[to]?.bytes ?? 0;
      if (batch[to]?.gathered !== kind || bytes > GATHERED_BYTES) break;
    }
  return batch.slice(from, to);
}

function bytesOf(together: readonly { readonly bytes: number }[]): number {
  return together.reduce((sum, { bytes }) => sum + bytes, 0);
}

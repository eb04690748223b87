import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { AppError } from "../error.ts";
import { databaseError, storageError } from "./database-error.ts";

/** A value that may be bound to a statement. */
export type SqlValue = SQLInputValue;

/** What a statement changed. */
export interface RunResult {
  readonly changes: number;
  readonly lastInsertRowid: number;
}

/** How a file is opened. */
export interface ConnectionOptions {
  readonly readOnly?: boolean;
  /** Reads without locks and without making files beside it; only for a file that nobody has open. */
  readonly immutable?: boolean;
}

/**
 * One SQLite connection with its prepared statements, kept by their text: a statement's text is a constant, so looking it
 * up costs less than preparing it again, and each verb can hold its own SQL.
 */
export class Connection {
  readonly path: string;
  readonly #options: ConnectionOptions;
  #db: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  /** Those whose rows are lists. */
  #lists = new Map<string, StatementSync>();

  private constructor(path: string, options: ConnectionOptions) {
    this.path = path;
    this.#options = options;
    this.#db = connect(path, options);
  }

  /** @throws AppError `DATABASE_*` naming the file. */
  static open(path: string, options: ConnectionOptions = {}): Connection {
    return new Connection(path, options);
  }

  /** True inside a transaction; asked after any error, because some errors end the transaction by themselves. */
  get isTransaction(): boolean {
    return this.#db.isOpen && this.#db.isTransaction;
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  /** @throws AppError `DATABASE_*` naming the file; a refusal of the statement itself as SQLite says it. */
  exec(sql: string): void {
    try {
      this.#db.exec(sql);
    } catch (error) {
      throw storageError(error, this.path);
    }
  }

  /**
   * Runs a statement whose rows nobody wants. `changes` and `lastInsertRowid` are numbers here: no key of ours is beyond 2^53.
   *
   * @throws AppError `DATABASE_*` naming the file; a refusal of the statement itself (a constraint) as SQLite says it.
   */
  run(sql: string, ...values: SqlValue[]): RunResult {
    try {
      return this.#prepare(sql).run(...values) as RunResult;
    } catch (error) {
      throw storageError(error, this.path);
    }
  }

  /**
   * The first row; its columns are what the statement names them.
   *
   * @throws AppError `DATABASE_*` naming the file, `INTERNAL` for a wrong statement.
   */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    try {
      return this.#prepare(sql).get(...values) as Row | undefined;
    } catch (error) {
      throw databaseError(error, this.path);
    }
  }

  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    try {
      return this.#prepare(sql).all(...values) as Row[];
    } catch (error) {
      throw databaseError(error, this.path);
    }
  }

  /** As {@link all}, each row a list of its columns: half the time and a third of the memory of objects, where rows are many. */
  lists<Row extends readonly unknown[]>(sql: string, ...values: SqlValue[]): Row[] {
    try {
      let statement = this.#lists.get(sql);
      if (statement === undefined) {
        statement = this.#open().prepare(sql);
        statement.setReturnArrays(true);
        this.#lists.set(sql, statement);
      }
      return statement.all(...values) as unknown as Row[];
    } catch (error) {
      throw databaseError(error, this.path);
    }
  }

  /** Reads several things as of one moment: other processes commit between any two statements. */
  snapshot<T>(read: () => T): T {
    if (this.isTransaction) return read();
    this.run("BEGIN");
    try {
      return read();
    } finally {
      if (this.isTransaction) this.run("COMMIT");
    }
  }

  /** A pragma that answers one value. */
  pragma(name: string): unknown {
    const row = this.#db.prepare(`PRAGMA ${name}`).get();
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** Prepares a statement of a user's own; not kept. */
  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** After an error in COMMIT nobody knows what is on disk but a new connection. */
  reopen(): void {
    this.close();
    this.#db = connect(this.path, this.#options);
  }

  close(): void {
    this.#statements = new Map();
    this.#lists = new Map();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#open().prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Closing forgets the statements, so only where one is prepared can it be found closed. */
  #open(): DatabaseSync {
    if (!this.#db.isOpen) throw new AppError("DATABASE_UNWRITABLE", `database ${this.path} was closed by this process`);
    return this.#db;
  }
}

function connect(path: string, { readOnly = false, immutable = false }: ConnectionOptions): DatabaseSync {
  const url = pathToFileURL(path);
  // Never created here: a file that vanished (an unmounted disk, a restore) must not come back as an empty one.
  url.search = immutable ? "mode=ro&immutable=1" : readOnly ? "mode=ro" : "mode=rw";
  let db: DatabaseSync | undefined;
  try {
    // The C busy handler would block the event loop; retries are ours.
    db = new DatabaseSync(url, { readOnly: readOnly || immutable, timeout: 0 });
    // macOS answers an ordinary fsync before the disk has the bytes; elsewhere this says nothing.
    db.exec("PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON");
    db.exec(
      "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; PRAGMA recursive_triggers=OFF",
    );
    return db;
  } catch (error) {
    // Left to the garbage collector it would hold its locks for a while.
    db?.close();
    throw databaseError(error, path);
  }
}

/** Parses a JSON column; text that is none means that the file is damaged. */
export function readJson<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new AppError(
      "DATABASE_DAMAGED",
      `${what} does not hold JSON: ${JSON.stringify(text.slice(0, 80))}; run \`windlass db check\``,
      { cause },
    );
  }
}

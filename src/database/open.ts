import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError, isAppError } from "../error.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { databaseError } from "./database-error.ts";
import { liveWorkers } from "./liveness.ts";
import { copyBefore, fileKind, keepLog, type Migration, migrate, ownMigrations, schemaVersion } from "./migrate.ts";
import { type OpenMode, refuseUnfit } from "./refuse-unfit.ts";
import { whileBusy } from "./while-busy.ts";

export type { OpenMode };

/** How a database is opened. */
export interface OpenOptions {
  readonly mode: OpenMode;
  readonly nowMs: number;
  /** Default: those of this version. */
  readonly migrations?: readonly Migration[];
  /** How long to wait for another process that creates, migrates or recovers the file. Default 10 s. */
  readonly busyLimitMs?: number;
  /** Called after an older schema was brought to the newest; not for a new file. */
  readonly onUpgrade?: (upgrade: Upgrade) => void;
}

/** What a migration did. */
export interface Upgrade {
  readonly from: number;
  readonly to: number;
  /** The database as it was before. */
  readonly copy: string;
}

const BUSY_LIMIT_MS = 10_000;

/**
 * Opens the database.
 *
 * @throws AppError `DATABASE_MISSING` (mode `read`), `DATABASE_FOREIGN` and `DATABASE_NEWER` (the file is left untouched),
 * `DATABASE_OLDER` (mode `write` or `read`), `DATABASE_IN_USE` (an older worker is alive), `DATABASE_UNWRITABLE`, `DATABASE_FULL`.
 */
export function openDatabase(path: string, options: OpenOptions): Connection {
  return whileBusy(options.busyLimitMs ?? BUSY_LIMIT_MS, () => openOnce(path, options));
}

/**
 * Opens a database of ours for reading, whatever its schema.
 *
 * @throws AppError `DATABASE_MISSING`, `DATABASE_FOREIGN`, `DATABASE_DAMAGED`.
 */
export function openAnyVersion(path: string): Connection {
  return whileBusy(BUSY_LIMIT_MS, () => {
    try {
      return openExisting(path, [], "any", { readOnly: true });
    } catch (error) {
      if (!(isAppError(error) && error.code === "DATABASE_UNWRITABLE") || hasLog(path)) throw error;
      // In a folder that cannot be written even a reader of a write-ahead log cannot lock; without a log nobody writes.
      return openExisting(path, [], "any", { immutable: true });
    }
  });
}

function openOnce(path: string, options: OpenOptions): Connection {
  const migrations = options.migrations ?? ownMigrations();
  if (options.mode === "read") return openExisting(path, migrations, "read");
  createFile(path);
  // A connection that may write empties the write-ahead log of what it opened when it closes, also where it then refuses the file.
  look(path, migrations, options.mode);
  const db = openExisting(path, migrations, options.mode);
  try {
    const kind = fileKind(db);
    const version = kind.kind === "ours" ? kind.version : 0;
    if (version === schemaVersion(migrations)) keepLog(db);
    else if (!upgrade(db, version, migrations, options)) {
      db.close();
      return openOnce(path, options);
    }
    return db;
  } catch (error) {
    db.close();
    throw databaseError(error, path);
  }
}

/** False when another process was faster, and what stands there now must be looked at again. */
function upgrade(db: Connection, from: number, migrations: readonly Migration[], options: OpenOptions): boolean {
  const to = schemaVersion(migrations);
  if (from === 0) return migrate(db, migrations, options.nowMs) !== undefined;
  refuseOlderWorkers(db, from, to);
  const copy = copyBefore(db, from);
  let done: number | undefined;
  try {
    // Asked again where nobody can start beside it: a worker enters itself in a transaction.
    done = migrate(db, migrations, options.nowMs, () => refuseOlderWorkers(db, from, to));
  } finally {
    // A copy of what was not changed, or that another process has made as well.
    if (done !== from) rmSync(copy, { force: true });
  }
  if (done === undefined) return false;
  options.onUpgrade?.({ from, to, copy });
  return true;
}

/** How long ago a file must have changed, at least, for its time to tell the next change: file systems count in ticks of 4 ms to 10 ms. */
const SETTLED_MS = 50;

/**
 * Refuses what is not ours, newer or (unless it will be migrated) older, and leaves every byte as it is.
 *
 * @throws AppError `DATABASE_BUSY` when another process wrote meanwhile, so that what was read may be half of what is there.
 */
function look(path: string, migrations: readonly Migration[], mode: OpenMode): void {
  if (hasLog(path)) {
    openExisting(path, migrations, mode, { readOnly: true }).close();
    return;
  }
  const before = statSync(path).mtimeMs;
  try {
    openExisting(path, migrations, mode, { immutable: true }).close();
  } catch (error) {
    // Without locks a reader sees the pages of another's commit one by one. Good news is asked for again under a lock.
    const after = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (after === before && Math.abs(Date.now() - after) > SETTLED_MS) throw error;
    throw new AppError("DATABASE_BUSY", `database ${path} is being written by another process; try again`, {
      cause: error,
    });
  }
}

/** A file without a write-ahead log can be read without making files beside it. */
function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function openExisting(
  path: string,
  migrations: readonly Migration[],
  mode: OpenMode | "any",
  how: ConnectionOptions = { readOnly: mode === "read" },
): Connection {
  if (!existsSync(path)) {
    throw new AppError(
      "DATABASE_MISSING",
      `there is no database at ${path}; enqueue a job or start \`windlass worker\` to create it, or name another with --db`,
    );
  }
  const file = statSync(path);
  // Opening a pipe would wait for somebody who writes into it, for ever.
  if (!file.isFile()) {
    const what = file.isDirectory() ? "a folder" : "a pipe, a device or a socket";
    throw new AppError("DATABASE_FOREIGN", `database ${path} is ${what}; name a file with --db`);
  }
  // SQLite removes the log of an empty file as it opens it, even for reading, and all that is left may stand in that log.
  if (file.size === 0 && hasLog(path))
    throw new AppError(
      "DATABASE_DAMAGED",
      `database ${path} is empty but has a log (${path}-wal); it was left untouched, restore a backup or save what can be read with \`windlass db check --salvage FILE\``,
    );
  const db = Connection.open(path, how);
  try {
    refuseUnfit(db, schemaVersion(migrations), mode);
    return db;
  } catch (error) {
    db.close();
    throw databaseError(error, path);
  }
}

/** Makes a folder and those above it. Node's own way tries for ever where a file system says that nothing is there and nothing can be, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Makes an empty file that only its owner can read; SQLite gives the same rights to what it puts beside it. */
function createFile(path: string): void {
  if (existsSync(path)) return;
  try {
    makeFolder(dirname(path));
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    // Another process made it meanwhile; a file in the place of a folder says the same and is none of ours.
    if (existsSync(path)) return;
    const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      full ? "DATABASE_FULL" : "DATABASE_UNWRITABLE",
      `database ${path} cannot be created (${reason}); choose another place with --db`,
      { cause: error },
    );
  }
}

function refuseOlderWorkers(db: Connection, from: number, to: number): void {
  const older = liveWorkers(db).filter((worker) => worker.schema < to);
  if (older.length === 0) return;
  const names = older.map((worker) => `pid ${worker.pid} on ${worker.host} (schema ${worker.schema})`).join(", ");
  throw new AppError(
    "DATABASE_IN_USE",
    `database ${db.path} cannot be migrated from schema ${from} to ${to} while older workers run: ${names}; stop them first`,
  );
}

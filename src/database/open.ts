import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError, isAppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { databaseError } from "./database-error.ts";
import { liveWorkers } from "./liveness.ts";
import { copyBefore, fileKind, type Migration, migrate, ownMigrations, schemaVersion } from "./migrate.ts";

/**
 * What a caller may do to the file: `read` changes nothing and creates nothing; `write` creates it when it does not exist
 * but never changes an existing schema; `migrate` does both.
 */
export type OpenMode = "read" | "write" | "migrate";

export interface OpenOptions {
  readonly mode: OpenMode;
  readonly nowMs: number;
  /** Default: those of this version. */
  readonly migrations?: readonly Migration[];
  /** How long to wait for another process that creates, migrates or recovers the file. Default 10 s. */
  readonly busyLimitMs?: number;
}

/** Versions before this one can corrupt a file when two connections checkpoint and commit at the same moment (https://www.sqlite.org/wal.html#walresetbug). */
const SQLITE_MIN = [3, 51, 3] as const;

const BUSY_STEP_MS = 5;
const BUSY_LIMIT_MS = 10_000;

/**
 * Opens the database.
 *
 * @throws AppError `DATABASE_MISSING` (mode `read`), `DATABASE_FOREIGN` and `DATABASE_NEWER` (the file is left untouched),
 * `DATABASE_OLDER` (mode `write` or `read`), `DATABASE_IN_USE` (an older worker is alive), `DATABASE_UNWRITABLE`, `DATABASE_FULL`.
 */
export function openDatabase(path: string, options: OpenOptions): Connection {
  const { busyLimitMs = BUSY_LIMIT_MS } = options;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // Creating, migrating and recovering lock the file for a moment; who comes second waits for it.
  for (let waitedMs = 0; ; waitedMs += BUSY_STEP_MS) {
    try {
      return openOnce(path, options);
    } catch (error) {
      if (!(isAppError(error) && error.code === "DATABASE_BUSY") || waitedMs >= busyLimitMs) throw error;
      Atomics.wait(cell, 0, 0, BUSY_STEP_MS);
    }
  }
}

function openOnce(path: string, options: OpenOptions): Connection {
  const migrations = options.migrations ?? ownMigrations();
  if (options.mode === "read") return openExisting(path, migrations, "read");
  createFile(path);
  const db = openExisting(path, migrations, options.mode);
  try {
    const kind = fileKind(db);
    const version = kind.kind === "ours" ? kind.version : 0;
    if (version < schemaVersion(migrations)) {
      if (version > 0) prepareUpgrade(db, version, schemaVersion(migrations));
      migrate(db, migrations, options.nowMs);
    }
    return db;
  } catch (error) {
    db.close();
    throw databaseError(error, path);
  }
}

/** Refuses what is not ours, newer or (unless it will be migrated) older, before anything is written. */
function openExisting(path: string, migrations: readonly Migration[], mode: OpenMode): Connection {
  if (!existsSync(path)) {
    throw new AppError(
      "DATABASE_MISSING",
      `there is no database at ${path}; enqueue a job or start \`windlass worker\` to create it, or name another with --db`,
    );
  }
  if (statSync(path).isDirectory())
    throw new AppError("DATABASE_FOREIGN", `database ${path} is a folder; name a file with --db`);
  const db = Connection.open(path, { readOnly: mode === "read" });
  try {
    checkSqlite(db);
    const kind = fileKind(db);
    if (kind.kind === "foreign")
      throw new AppError(
        "DATABASE_FOREIGN",
        `database ${path} was not made by windlass (${kind.reason}); it was left untouched`,
      );
    const newest = schemaVersion(migrations);
    const version = kind.kind === "ours" ? kind.version : 0;
    if (version > newest) {
      throw new AppError(
        "DATABASE_NEWER",
        `database ${path} has schema ${version} and this windlass knows only ${newest}; it was left untouched, use a newer windlass`,
      );
    }
    if (kind.kind === "fresh" && mode === "read")
      throw new AppError(
        "DATABASE_MISSING",
        `database ${path} is empty; enqueue a job or start \`windlass worker\` to fill it`,
      );
    if (version > 0 && version < newest && mode !== "migrate") {
      throw new AppError(
        "DATABASE_OLDER",
        `database ${path} has schema ${version} and this windlass needs ${newest}; run \`windlass db migrate\` (it makes a copy first)`,
      );
    }
    return db;
  } catch (error) {
    db.close();
    throw isAppError(error) ? error : databaseError(error, path);
  }
}

/** Makes an empty file that only its owner can read; SQLite gives the same rights to what it puts beside it. */
function createFile(path: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      full ? "DATABASE_FULL" : "DATABASE_UNWRITABLE",
      `database ${path} cannot be created (${reason}); choose another place with --db`,
      { cause: error },
    );
  }
}

function prepareUpgrade(db: Connection, from: number, to: number): void {
  const older = liveWorkers(db).filter((worker) => worker.schema < to);
  if (older.length > 0) {
    const names = older.map((worker) => `pid ${worker.pid} on ${worker.host} (schema ${worker.schema})`).join(", ");
    throw new AppError(
      "DATABASE_IN_USE",
      `database ${db.path} cannot be migrated from schema ${from} to ${to} while older workers run: ${names}; stop them first`,
    );
  }
  copyBefore(db, from);
}

function checkSqlite(db: Connection): void {
  const text = db.get<{ version: string }>("SELECT sqlite_version() AS version")?.version ?? "0";
  const found = text.split(".").map(Number);
  const order = SQLITE_MIN.findIndex((part, index) => (found[index] ?? 0) !== part);
  if (order !== -1 && (found[order] ?? 0) < (SQLITE_MIN[order] ?? 0)) {
    throw new AppError(
      "UNSUPPORTED",
      `this Node.js has SQLite ${text}; versions before ${SQLITE_MIN.join(".")} can corrupt a database, use Node.js 24.15 or newer from nodejs.org`,
    );
  }
}

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AppError, isAppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { copyDatabase, fileError, flushFile } from "./copy.ts";
import { sqliteCode } from "./database-error.ts";
import { isLockHeld, lockNames } from "./liveness.ts";
import { keepLog, ownMigrations, schemaVersion } from "./migrate.ts";
import { openAnyVersion } from "./open.ts";
import { LOG_ENDS, swapDatabase } from "./swap-database.ts";

/** What a restore did. */
export interface Restored {
  readonly path: string;
  readonly schema: number;
  /** Where the database that stood there before is now. */
  readonly replaced: string | null;
  /** Jobs that ran when the backup was taken: their workers are gone, so the next worker decides over them. */
  readonly leases: number;
}

/** Epochs are never used twice, also not those that were given out after the backup was taken. */
const EPOCHS_SKIPPED = 2 ** 32;
const NOTADB = 26;

/**
 * Puts a backup in the place of a database. What stood there is kept beside it, with its log. At every moment either the
 * old or the new database stands there, whole.
 *
 * @param file a backup, or any other database of ours that is sound and not newer than this program.
 * @throws AppError `DATABASE_IN_USE` naming who has the database open, `DATABASE_NEWER`, `DATABASE_FOREIGN`, `DATABASE_DAMAGED`, `DATABASE_MISSING`, `DATABASE_FULL`, `DATABASE_UNWRITABLE`; nothing was changed.
 */
export function restore(file: string, path: string, nowMs: number): Restored {
  if (resolve(file) === resolve(path))
    throw new AppError("USAGE", `${file} is the database itself; name the backup to put in its place`);
  const schema = checkSource(file);
  const readable = existsSync(path) && isReadable(path);
  refuseLiveWorkers(path);
  const prepared = `${path}.restoring-${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const leases = prepare(file, prepared);
    const replaced = existsSync(path) ? freeName(`${path}.replaced-${stamp(nowMs)}`) : null;
    swapDatabase({ path, prepared, replaced, readable });
    return { path, schema, replaced, leases };
  } catch (error) {
    throw fileError(error, path);
  } finally {
    removeDatabase(prepared);
  }
}

function checkSource(file: string): number {
  if (!existsSync(file))
    throw new AppError("DATABASE_MISSING", `there is no backup at ${file}; name one that there is`);
  const db = openAnyVersion(file);
  try {
    const schema = Number(db.pragma("user_version"));
    const newest = schemaVersion(ownMigrations());
    if (schema > newest)
      throw new AppError(
        "DATABASE_NEWER",
        `backup ${file} has schema ${schema} and this windlass knows only ${newest}; restore it with a newer windlass`,
      );
    const found = db.pragma("quick_check(1)");
    if (found !== "ok")
      throw new AppError(
        "DATABASE_DAMAGED",
        `backup ${file} is damaged (${String(found)}); take another, or save what can be read with \`windlass db check --db ${file} --salvage FILE\``,
      );
    return schema;
  } finally {
    db.close();
  }
}

/**
 * Another program's database or a folder is not ours to move; a file that is no database any more may have been ours.
 * False where SQLite cannot read it.
 */
function isReadable(path: string): boolean {
  try {
    openAnyVersion(path).close();
    return true;
  } catch (error) {
    if (isAppError(error) && error.code === "DATABASE_FOREIGN" && sqliteCode(error.cause) !== NOTADB) throw error;
    return false;
  }
}

/** Asked before the work; {@link swapDatabase} asks everybody else. */
function refuseLiveWorkers(path: string): void {
  const alive = lockNames(path).filter((uuid) => isLockHeld(path, uuid));
  if (alive.length === 0) return;
  const names = alive.map((uuid) => nameWorker(path, uuid)).join(", ");
  throw new AppError(
    "DATABASE_IN_USE",
    `database ${path} cannot be replaced while workers run on it: ${names}; stop them first`,
  );
}

function nameWorker(path: string, uuid: string): string {
  try {
    const db = openAnyVersion(path);
    try {
      const row = db.get<{ host: string; pid: number }>("SELECT host, pid FROM worker WHERE uuid = ?", uuid);
      return row === undefined ? uuid : `pid ${row.pid} on ${row.host}`;
    } finally {
      db.close();
    }
  } catch {
    // Damaged, which may be why it is replaced.
    return uuid;
  }
}

/** Makes the new database under another name: complete, checked, with a log, and on disk. */
function prepare(file: string, prepared: string): number {
  const source = openAnyVersion(file);
  try {
    copyDatabase(source, prepared);
  } finally {
    source.close();
  }
  const db = Connection.open(prepared);
  try {
    keepLog(db);
    db.exec("PRAGMA synchronous=FULL");
    db.run("UPDATE setting SET value = value + ? WHERE name = 'epoch'", EPOCHS_SKIPPED);
    return db.get<{ n: number }>("SELECT count(*) AS n FROM lease")?.n ?? 0;
  } finally {
    db.close();
    flushFile(prepared);
  }
}

function removeDatabase(path: string): void {
  for (const end of ["", ...LOG_ENDS]) rmSync(path + end, { force: true });
}

/** A time as it may stand in a file name. */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function freeName(path: string): string {
  for (let n = 0; ; n++) {
    const name = n === 0 ? path : `${path}.${n}`;
    if (!existsSync(name)) return name;
  }
}

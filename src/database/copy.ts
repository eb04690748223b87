import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError, isAppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { databaseError } from "./database-error.ts";

/** What a copy is, after it was read back. */
export interface Copied {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes a copy of a database as it is at one moment, whole and of its owner's alone; those who have the database open go
 * on. The copy is one file without a write-ahead log. It gets its name when it is complete, checked and on disk, so that
 * no crash leaves half of one under that name.
 *
 * @throws AppError `DATABASE_EXISTS` when something stands there, `DATABASE_FULL`, `DATABASE_UNWRITABLE`, `DATABASE_DAMAGED`.
 */
export function copyDatabase(db: Connection, to: string): Copied {
  refuseExisting(to);
  const partial = `${to}.partial-${process.pid}`;
  try {
    // VACUUM takes an empty file as it is; one of its own making could be read by everybody.
    closeSync(openSync(partial, "wx", 0o600));
    db.prepare("VACUUM INTO ?").run(partial);
    checkCopy(partial);
    // SQLite does not wait for the disk here (https://www.sqlite.org/lang_vacuum.html#vacuuminto).
    flushFile(partial);
    giveName(partial, to);
    return { path: to, bytes: statSync(to).size };
  } catch (error) {
    rmSync(partial, { force: true });
    throw fileError(error, to);
  }
}

/** @throws AppError `DATABASE_EXISTS`. */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw new AppError("DATABASE_EXISTS", `${path} exists already; choose another name`);
}

/** Waits until a file, or what a folder says of its files, is on disk. Never for a file that this process has open in SQLite. */
export function flushFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Turns what the file system or SQLite says about a path into one of our errors. */
export function fileError(error: unknown, path: string): unknown {
  if (isAppError(error) || !(error instanceof Error) || "errcode" in error) return databaseError(error, path);
  const code = "code" in error ? error.code : undefined;
  if (code === "EEXIST") return new AppError("DATABASE_EXISTS", `${path} exists already; choose another name`);
  return new AppError(
    code === "ENOSPC" || code === "EDQUOT" ? "DATABASE_FULL" : "DATABASE_UNWRITABLE",
    `${path} cannot be written (${error.message}); choose another place or free some space`,
    { cause: error },
  );
}

function checkCopy(path: string): void {
  const copy = Connection.open(path, { immutable: true });
  try {
    const found = copy.pragma("quick_check(1)");
    if (found !== "ok")
      throw new AppError("DATABASE_DAMAGED", `the copy ${path} is not sound (${String(found)}); it was removed`);
  } finally {
    copy.close();
  }
}

/** Unlike a rename, a link never replaces what came to stand there meanwhile. */
function giveName(partial: string, to: string): void {
  try {
    linkSync(partial, to);
    rmSync(partial);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") throw error;
    // A file system without hard links.
    refuseExisting(to);
    renameSync(partial, to);
  }
  flushFile(dirname(to));
}

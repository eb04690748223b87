import { existsSync, linkSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { AppError } from "../error.ts";
import { flushFile } from "./copy.ts";
import { sqliteCode } from "./database-error.ts";
import { type FileUser, fileUsers, sayUsers } from "./file-users.ts";
import { dropLock, lockNames } from "./liveness.ts";

/** What stands beside a database, in the order in which it may be taken away. */
export const LOG_ENDS = ["-wal", "-shm", "-journal"] as const;

const BUSY = 5;
/** Somebody's command of a moment may end meanwhile. */
const BUSY_MS = 500;

/** One database for another. */
export interface Swap {
  readonly path: string;
  /** The new one, complete and on disk. */
  readonly prepared: string;
  /** What the old one is called then; `null` when there is none. */
  readonly replaced: string | null;
  /** SQLite can read the old one. */
  readonly readable: boolean;
}

/**
 * While the old database is locked against everybody, the new one takes its name.
 *
 * @throws AppError `DATABASE_IN_USE` naming who has the old one open.
 */
export function swapDatabase({ path, prepared, replaced, readable }: Swap): void {
  const old = readable ? lockAlone(path) : undefined;
  const users = old === undefined ? fileUsers(path) : undefined;
  if (users !== undefined && users.length > 0) throw inUse(path, users);
  try {
    if (replaced !== null) keepReplaced(path, replaced);
    renameSync(prepared, path);
    flushFile(dirname(path));
  } finally {
    old?.close();
  }
  // Nobody lives, and the copy's workers had locks elsewhere or at another time.
  for (const uuid of lockNames(path)) dropLock(path, uuid);
}

/** The old database keeps its bytes under another name; until the new one takes it, it has its own as well. */
function keepReplaced(path: string, replaced: string): void {
  try {
    linkSync(path, replaced);
  } catch {
    // A file system without hard links: for a moment nothing stands there.
    renameSync(path, replaced);
  }
  // There where the old one was too damaged to be emptied of its log; the new one must not find it.
  for (const end of LOG_ENDS) if (existsSync(path + end)) renameSync(path + end, replaced + end);
}

/**
 * Empties the log of the database and locks it against everybody, also against those who only have it open. `undefined`
 * where it cannot be emptied, as on a full disk. Never for a file that SQLite cannot read: it would remove its log.
 */
function lockAlone(path: string): DatabaseSync | undefined {
  const url = pathToFileURL(path);
  url.search = "mode=rw";
  let db: DatabaseSync | undefined;
  try {
    // Not a Connection: what it asks of the file when it opens it would be in the way.
    db = new DatabaseSync(url, { timeout: BUSY_MS });
    // Only without a log does an exclusive transaction keep readers out.
    db.exec("PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
    if (db.prepare("PRAGMA journal_mode").get()?.["journal_mode"] === "delete") return db;
  } catch (error) {
    db?.close();
    if (sqliteCode(error) === BUSY) throw inUse(path, fileUsers(path));
    return undefined;
  }
  // Somebody came between the two.
  db.close();
  throw inUse(path, fileUsers(path));
}

function inUse(path: string, users: readonly FileUser[] | undefined): AppError {
  return new AppError(
    "DATABASE_IN_USE",
    `database ${path} cannot be replaced while it is open in ${sayUsers(users, "process")}; end that first`,
  );
}

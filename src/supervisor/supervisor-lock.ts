import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteCode } from "../database/database-error.ts";
import { AppError } from "../error.ts";

/** Primary result code SQLITE_BUSY (https://www.sqlite.org/rescode.html). */
const BUSY = 5;

/** Held here too: a connection that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock of the one supervisor: an exclusive SQLite lock on a small file of its own, which the kernel frees when
 * the process is gone, however it went.
 *
 * @throws AppError `SUPERVISOR_RUNNING` naming the process that has it.
 */
export function holdSupervisorLock(folder: string): Disposable {
  const [path, holder] = [join(folder, "lock.db"), join(folder, "lock.pid")];
  let db: DatabaseSync | undefined;
  try {
    createFile(path);
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec("PRAGMA journal_mode=DELETE; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    throw sqliteCode(error) === BUSY ? isRunning(folder, holder) : unusable(folder, error);
  }
  const lock = db;
  held.add(lock);
  writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]() {
      if (!held.delete(lock)) return;
      // The lock's file stays: whoever waits for it would lock one that is gone.
      rmSync(holder, { force: true });
      lock.close();
    },
  };
}

/** Only where it is missing: to close a file that this process has locked would free its lock. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function isRunning(folder: string, holder: string): AppError {
  const pid = holderOf(holder);
  const who = pid === undefined ? "another supervisor" : `process ${pid}`;
  return new AppError("SUPERVISOR_RUNNING", `${who} supervises already (${folder}); end it, or leave it to that one`, {
    details: pid === undefined ? {} : { pid },
  });
}

/** For people; the lock itself decides. */
function holderOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function unusable(folder: string, cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AppError(
    "DATABASE_UNWRITABLE",
    `${join(folder, "lock.db")} cannot be locked (${why}); check who owns the folder, or remove the file`,
    {
      cause,
    },
  );
}

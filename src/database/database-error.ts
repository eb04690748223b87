import { AppError, type ErrorCode, isAppError } from "../error.ts";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) and what they mean to a user. */
const MEANING: Readonly<Record<number, { readonly code: ErrorCode; readonly say: string }>> = {
  5: { code: "DATABASE_BUSY", say: "is locked by another process; try again" },
  6: { code: "DATABASE_BUSY", say: "is locked by another process; try again" },
  7: { code: "DATABASE_FULL", say: "could not be used: out of memory" },
  8: { code: "DATABASE_UNWRITABLE", say: "cannot be written; check who owns the file and its folder" },
  10: { code: "COMMIT_UNKNOWN", say: "could not be read or written (I/O error); check the disk" },
  11: {
    code: "DATABASE_DAMAGED",
    say: "is damaged; run `windlass db check`, then restore a backup or save what can be read with --salvage",
  },
  13: { code: "DATABASE_FULL", say: "could not grow: the disk is full; free some space, work goes on by itself" },
  14: { code: "DATABASE_UNWRITABLE", say: "cannot be opened; check that its folder exists and may be written" },
  26: { code: "DATABASE_FOREIGN", say: "is not a SQLite database; it was left untouched" },
};

/** `SQLITE_IOERR_SHMSIZE`: the index of the log could not be made or grow, which is a full disk and came before any write. */
const SHMSIZE = 10 | (19 << 8);

/** The primary result code of an error from `node:sqlite`, also of one that {@link databaseError} has turned into ours; else `undefined`. */
export function sqliteCode(error: unknown): number | undefined {
  if (isAppError(error)) return error.cause === undefined ? undefined : sqliteCode(error.cause);
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return undefined;
}

/** What SQLite itself said. */
export function sqliteReason(error: unknown): string {
  if (isAppError(error) && error.cause !== undefined) return sqliteReason(error.cause);
  return error instanceof Error ? error.message : String(error);
}

/** Turns an error from SQLite into ours, naming the file; any other error passes through. */
export function databaseError(error: unknown, path: string): unknown {
  const primary = sqliteCode(error);
  if (primary === undefined || isAppError(error)) return error;
  const meaning = MEANING[isShmSize(error) ? 13 : primary];
  const reason = sqliteReason(error);
  if (meaning === undefined) return new AppError("INTERNAL", `database ${path}: ${reason}`, { cause: error });
  return new AppError(meaning.code, `database ${path} ${meaning.say} (${reason})`, { cause: error });
}

/** As {@link databaseError} for what lies in the file or its disk; what SQLite has against the statement itself passes through. */
export function storageError(error: unknown, path: string): unknown {
  const primary = sqliteCode(error);
  return primary !== undefined && primary in MEANING ? databaseError(error, path) : error;
}

function isShmSize(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SHMSIZE;
}

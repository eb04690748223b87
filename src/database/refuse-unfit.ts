import { AppError } from "../error.ts";
import type { Connection } from "./connection.ts";
import { fileKind } from "./migrate.ts";
import { isSafeSqlite, SQLITE_MIN } from "./sqlite-version.ts";

/**
 * What a caller may do to the file: `read` changes nothing and creates nothing; `write` creates it when it does not exist
 * but never changes an existing schema; `migrate` does both.
 */
export type OpenMode = "read" | "write" | "migrate";

/**
 * Refuses a file that may not be opened so. Only reads. `any`: any schema will do.
 *
 * @throws AppError `DATABASE_FOREIGN`, `DATABASE_NEWER`, `DATABASE_MISSING` (it is empty), `DATABASE_OLDER`; `UNSUPPORTED` for this SQLite.
 */
export function refuseUnfit(db: Connection, newest: number, mode: OpenMode | "any"): void {
  checkSqlite(db);
  const { path } = db;
  const kind = fileKind(db);
  if (kind.kind === "foreign")
    throw new AppError(
      "DATABASE_FOREIGN",
      `database ${path} was not made by windlass (${kind.reason}); it was left untouched`,
    );
  const version = kind.kind === "ours" ? kind.version : 0;
  if (kind.kind === "fresh" && (mode === "read" || mode === "any"))
    throw new AppError(
      "DATABASE_MISSING",
      `database ${path} is empty; enqueue a job or start \`windlass worker\` to fill it`,
    );
  if (mode === "any") return;
  if (version > newest) {
    throw new AppError(
      "DATABASE_NEWER",
      `database ${path} has schema ${version} and this windlass knows only ${newest}; it was left untouched, use a newer windlass`,
    );
  }
  if (version > 0 && version < newest && mode !== "migrate") {
    throw new AppError(
      "DATABASE_OLDER",
      `database ${path} has schema ${version} and this windlass needs ${newest}; run \`windlass db migrate --db ${path}\` (it makes a copy first)`,
    );
  }
}

function checkSqlite(db: Connection): void {
  const version = db.get<{ version: string }>("SELECT sqlite_version() AS version")?.version ?? "";
  if (isSafeSqlite(version)) return;
  throw new AppError(
    "UNSUPPORTED",
    `this Node.js has SQLite ${version}; versions before ${SQLITE_MIN.join(".")} can corrupt a database, use Node.js 24.15 or newer from nodejs.org`,
  );
}

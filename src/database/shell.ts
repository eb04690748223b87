import { constants, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { AppError } from "../error.ts";
import { databaseError, sqliteCode } from "./database-error.ts";
import { openAnyVersion } from "./open.ts";

/** A value of a row as it is shown: text, number, `null`, or bytes as base64. */
export type ShownValue = string | number | null;

/** The rows of one statement. */
export interface QueryResult {
  readonly rows: readonly Readonly<Record<string, ShownValue>>[];
  /** True when there were more rows than were asked for. */
  readonly truncated: boolean;
}

/** A function that queries may call. */
export interface QueryFunctions {
  /** `job_id(number)`: the id that users know. */
  readonly jobId: (key: string, number: number) => string;
}

const [ERROR, AUTH, READONLY] = [1, 23, 8];

/**
 * Answers SQL about a database; nothing is changed, whatever the SQL says: the connection may only read, and may open no
 * other file.
 *
 * @param rowsMax of each statement.
 * @throws AppError `USAGE` for SQL that is wrong or would write; `DATABASE_MISSING`, `DATABASE_FOREIGN`, `DATABASE_DAMAGED`.
 */
export function queryDatabase(
  path: string,
  statements: readonly string[],
  { rowsMax, functions }: { readonly rowsMax: number; readonly functions: QueryFunctions },
): QueryResult[] {
  // Says in our words what is wrong with the file.
  openAnyVersion(path).close();
  const url = pathToFileURL(path);
  url.search = "mode=ro";
  const db = new DatabaseSync(url, { readOnly: true, timeout: 1_000, readBigInts: true });
  try {
    db.setAuthorizer((action, name, value) =>
      isOutside(action, name, value) ? constants.SQLITE_DENY : constants.SQLITE_OK,
    );
    addFunctions(db, functions);
    return statements.map((sql) => query(db, path, sql, rowsMax));
  } finally {
    db.close();
  }
}

/** ATTACH (also as part of VACUUM INTO) could make files, and another journal mode would take the log away. */
function isOutside(action: number, name: string | null, value: string | null): boolean {
  if (action === constants.SQLITE_ATTACH) return true;
  return action === constants.SQLITE_PRAGMA && name === "journal_mode" && value !== null;
}

function addFunctions(db: DatabaseSync, { jobId }: QueryFunctions): void {
  const key = db.prepare("SELECT value FROM setting WHERE name = 'id_key'").get()?.["value"];
  db.function("job_id", { deterministic: true, useBigIntArguments: false }, (number) =>
    key === undefined || typeof number !== "number" ? null : jobId(String(key), number),
  );
}

function query(db: DatabaseSync, path: string, sql: string, rowsMax: number): QueryResult {
  const rows: Readonly<Record<string, ShownValue>>[] = [];
  try {
    for (const row of db.prepare(sql).iterate()) {
      if (rows.length === rowsMax) return { rows, truncated: true };
      rows.push(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shown(value)])));
    }
    return { rows, truncated: false };
  } catch (error) {
    const code = sqliteCode(error);
    const reason = error instanceof Error ? error.message : String(error);
    if (code === READONLY || code === AUTH)
      throw new AppError(
        "USAGE",
        `${sql}: this shell only reads (${reason}); commands of windlass change the database`,
      );
    if (code === ERROR || code === undefined) throw new AppError("USAGE", `${sql}: ${reason}`, { cause: error });
    throw databaseError(error, path);
  }
}

function shown(value: unknown): ShownValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value);
}

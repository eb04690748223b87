import { DatabaseSync } from "node:sqlite";
import type { Connection } from "./connection.ts";
import { databaseError, sqliteCode, sqliteReason } from "./database-error.ts";
import { checksum, type Migration, ownMigrations, schemaVersion } from "./migrate.ts";
import { openAnyVersion } from "./open.ts";
import { LIVE, RECORD_RULES } from "./record-rules.ts";

/** How much is looked at. */
export type CheckDepth =
  /** The structure of the file, without comparing indexes to tables. */
  | "quick"
  /** That, indexes, the schema, and every rule of the records. */
  | "full";

/** One thing that is wrong. */
export interface CheckFinding {
  /** `file` (SQLite says so), `schema` or `records`. */
  readonly where: "file" | "schema" | "records";
  /** A sentence; about a job it begins with "a job". */
  readonly problem: string;
  readonly count: number;
  /** Numbers of jobs, at most five. */
  readonly jobs: readonly number[];
}

/** What a check came to. */
export interface CheckReport {
  readonly path: string;
  readonly schema: number;
  readonly findings: readonly CheckFinding[];
  /** How many rows stand where; empty when the file could not be read that far. */
  readonly counts: Readonly<Record<string, number>>;
}

const PROBLEMS_MAX = 100;
const EXAMPLES_MAX = 5;
const COUNTED = [
  "job",
  "ready",
  "delayed",
  "blocked",
  "waiting",
  "lease",
  "done",
  "history",
  "worker",
  "schedule",
] as const;

/**
 * Looks for what is wrong with a database. Changes nothing; workers may go on meanwhile.
 *
 * @throws AppError `DATABASE_MISSING`, `DATABASE_FOREIGN`; `DATABASE_DAMAGED` when it cannot even be opened.
 */
export function checkDatabase(path: string, depth: CheckDepth = "full"): CheckReport {
  const db = openAnyVersion(path);
  try {
    // One moment for all statements.
    db.exec("BEGIN");
    const schema = Number(db.pragma("user_version"));
    const file = checkFile(db, depth);
    if (file.length > 0 || depth === "quick") return { path, schema, findings: file, counts: {} };
    const findings = [...checkSchema(db, schema), ...(schema === newestOwn() ? checkRecords(db) : [])];
    return { path, schema, findings, counts: count(db) };
  } catch (error) {
    throw databaseError(error, path);
  } finally {
    db.close();
  }
}

/** What SQLite says about the file; empty when it is sound. */
export function checkFile(db: Connection, depth: CheckDepth): CheckFinding[] {
  const pragma = depth === "quick" ? "quick_check" : "integrity_check";
  try {
    return db
      .all<Record<string, string>>(`PRAGMA ${pragma}(${PROBLEMS_MAX})`)
      .map((row) => Object.values(row)[0] ?? "")
      .filter((problem) => problem !== "ok")
      .map((problem) => finding("file", problem));
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    return [finding("file", sqliteReason(error))];
  }
}

/**
 * The steps that were taken against those that this program knows, and the tables that there are against those that the
 * steps make. A user's own tables are none of our business.
 */
export function checkSchema(
  db: Connection,
  version: number,
  migrations: readonly Migration[] = ownMigrations(),
): CheckFinding[] {
  const findings: CheckFinding[] = [];
  const taken = db.all<{ version: number; checksum: string }>(
    "SELECT version, checksum FROM migration ORDER BY version",
  );
  for (const step of migrations.filter((known) => known.version <= version)) {
    const found = taken.find((row) => row.version === step.version)?.checksum;
    if (found === undefined) findings.push(finding("schema", `step ${step.version} is not recorded as taken`));
    else if (found !== checksum(step.sql))
      findings.push(finding("schema", `step ${step.version} is not the one that this windlass knows (${found})`));
  }
  if (findings.length > 0 || version > schemaVersion(migrations)) return findings;
  const are = new Map(db.all<SchemaObject>(OBJECTS).map(({ name, sql }) => [name, sql]));
  for (const { name, sql } of expectedObjects(migrations.filter((known) => known.version <= version))) {
    if (!are.has(name)) findings.push(finding("schema", `${name} is missing`));
    else if (are.get(name) !== sql) findings.push(finding("schema", `${name} is not as its step made it`));
  }
  return findings;
}

interface SchemaObject {
  readonly name: string;
  readonly sql: string;
}

const OBJECTS = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";

function expectedObjects(migrations: readonly Migration[]): SchemaObject[] {
  const db = new DatabaseSync(":memory:");
  try {
    for (const { sql } of migrations) db.exec(sql);
    return db
      .prepare(OBJECTS)
      .all()
      .map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
  } finally {
    db.close();
  }
}

function checkRecords(db: Connection): CheckFinding[] {
  return RECORD_RULES.flatMap(({ broken, sql }): CheckFinding[] => {
    try {
      const rows = db.all<{ job: number }>(`WITH ${LIVE} ${sql.replaceAll("{live}", "live")}`);
      if (rows.length === 0) return [];
      const jobs = rows.slice(0, EXAMPLES_MAX).map(({ job }) => job);
      return [{ where: "records", problem: `a job ${broken}`, count: rows.length, jobs }];
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
      return [finding("records", `could not be looked at (a job ${broken}): ${sqliteReason(error)}`)];
    }
  });
}

function count(db: Connection): Record<string, number> {
  return Object.fromEntries(
    COUNTED.map((table) => {
      try {
        return [table, db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0];
      } catch {
        // A table of another schema.
        return [table, 0];
      }
    }),
  );
}

function finding(where: CheckFinding["where"], problem: string): CheckFinding {
  return { where, problem, count: 1, jobs: [] };
}

function newestOwn(): number {
  return schemaVersion(ownMigrations());
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { AppError, isAppError } from "../error.ts";
import type { Connection } from "./connection.ts";
import { copyDatabase } from "./copy.ts";

/** One step of the schema: forward only, in order, its text fixed for ever once released. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly sql: string;
  /**
   * The oldest schema whose workers may go on writing beside this one. A running worker that finds a larger number than
   * its own schema drains and stops.
   */
  readonly writerMin: number;
}

/** `PRAGMA application_id` of our files: the letters WNDL. */
export const APPLICATION_ID = 0x574e444c;

/** From which step on which workers may still write. */
const WRITER_MIN: readonly (readonly [version: number, writerMin: number])[] = [
  // An older one would end a child without waking the job that waits for it.
  [3, 3],
  // An older one would give a later event past an earlier one that many still wait for.
  [4, 4],
  // An older one would take a job that waits for an approval for one that sleeps.
  [5, 5],
  // An older one would not find the records that stand in the tail.
  [6, 6],
];

/** The migrations of this version of the program, read from `migrations/`. */
export function ownMigrations(): readonly Migration[] {
  const folder = new URL("./migrations/", import.meta.url);
  return readdirSync(folder)
    .filter((name) => /^\d{4}\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      sql: readFileSync(new URL(name, folder), "utf8"),
      writerMin: WRITER_MIN.findLast(([version]) => version <= Number(name.slice(0, 4)))?.[1] ?? 1,
    }));
}

/** The schema that this version of the program writes. */
export function schemaVersion(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}

/** What a file turned out to be. */
export type FileKind =
  | { readonly kind: "fresh" }
  | { readonly kind: "ours"; readonly version: number }
  | { readonly kind: "foreign"; readonly reason: string };

/** Looks at a file without writing to it, at one instant: another process may be creating it. */
export function fileKind(db: Connection): FileKind {
  return db.snapshot(() => readKind(db));
}

function readKind(db: Connection): FileKind {
  const id = db.pragma("application_id");
  const version = Number(db.pragma("user_version"));
  if (id === APPLICATION_ID) return { kind: "ours", version };
  const tables = db.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_schema")?.n ?? 0;
  if (id === 0 && tables === 0 && version === 0) return { kind: "fresh" };
  return {
    kind: "foreign",
    reason: `its application id is ${String(id)} and it has ${tables === 1 ? "1 table" : `${tables} tables and indexes`}`,
  };
}

/**
 * Brings the schema from where it is to the newest version in one transaction; several processes may try at once, one does
 * it. The steps already taken are checked against what this program knows of them.
 *
 * @param guard called inside the transaction when there is something to do; what it throws leaves the old schema.
 * @returns the schema that was found; `undefined` when another process was faster.
 * @throws AppError `DATABASE_DAMAGED` when a step that was taken differs from ours; what SQLite throws otherwise, and then the old schema stands.
 */
export function migrate(
  db: Connection,
  migrations: readonly Migration[],
  nowMs: number,
  guard: () => void = () => undefined,
): number | undefined {
  const fresh = fileKind(db).kind === "fresh";
  if (fresh) {
    // Only before the first table: afterwards just a VACUUM could turn it on.
    db.exec("PRAGMA auto_vacuum=INCREMENTAL");
  }
  keepLog(db);
  db.exec("PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
  try {
    const from = Number(db.pragma("user_version"));
    if (from >= schemaVersion(migrations)) {
      db.exec("ROLLBACK");
      return undefined;
    }
    guard();
    db.exec(
      "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL, at INTEGER NOT NULL) STRICT",
    );
    checkTaken(db, migrations);
    for (const step of migrations) {
      if (step.version <= from) continue;
      db.exec(step.sql);
      db.run("INSERT INTO migration (version, checksum, at) VALUES (?, ?, ?)", step.version, checksum(step.sql), nowMs);
      db.run(
        "INSERT INTO setting (name, value) VALUES ('writer_min', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        step.writerMin,
      );
    }
    db.exec(`PRAGMA user_version=${schemaVersion(migrations)}; PRAGMA application_id=${APPLICATION_ID}`);
    db.exec("COMMIT");
    return from;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Readers and writers do not wait for each other only with a write-ahead log. A copy that was put in the place of a
 * database by hand has none.
 *
 * @throws AppError `UNSUPPORTED` on a file system that cannot have one.
 */
export function keepLog(db: Connection): void {
  if (db.pragma("journal_mode") === "wal") return;
  const mode = db.pragma("journal_mode=WAL");
  if (mode !== "wal")
    throw new AppError(
      "UNSUPPORTED",
      `database ${db.path} cannot have a write-ahead log here (journal mode ${String(mode)}), as on a network file system; put it on a local disk with --db`,
    );
}

/** Copies the database before it is changed, beside it; returns the path of the copy. */
export function copyBefore(db: Connection, fromVersion: number): string {
  for (let n = 0; ; n++) {
    const path = `${db.path}.before-${fromVersion}${n === 0 ? "" : `.${n}`}`;
    if (existsSync(path)) continue;
    try {
      return copyDatabase(db, path).path;
    } catch (error) {
      // Another process took the name meanwhile.
      if (!(isAppError(error) && error.code === "DATABASE_EXISTS")) throw error;
    }
  }
}

function checkTaken(db: Connection, migrations: readonly Migration[]): void {
  for (const taken of db.all<{ version: number; checksum: string }>(
    "SELECT version, checksum FROM migration ORDER BY version",
  )) {
    const ours = migrations.find((step) => step.version === taken.version);
    if (ours !== undefined && checksum(ours.sql) !== taken.checksum) {
      throw new AppError(
        "DATABASE_DAMAGED",
        `database ${db.path}: its schema step ${taken.version} is not the one that this windlass knows (${taken.checksum}); it was changed by hand or by an unreleased version`,
      );
    }
  }
}

/** What the table `migration` keeps of a step. */
export function checksum(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}

import { DatabaseSync } from "node:sqlite";
import { ownMigrations } from "../migrate.ts";
import type { Row } from "./tree-page.ts";

/** A table of ours, as its rows stand on disk. */
export interface KnownTable {
  readonly name: string;
  /** False for one whose key is its rows' order (WITHOUT ROWID). */
  readonly hasRowid: boolean;
  /** In the order of the record. */
  readonly columns: readonly KnownColumn[];
  /** How many of them a row may have: one that is older than a column ends before it. */
  readonly lengths: ReadonlySet<number>;
}

interface KnownColumn {
  readonly name: string;
  readonly type: string;
  /** Stands for the row's number, which the record does not repeat. */
  readonly isRowid: boolean;
}

/** The tables that the migrations of this version make. */
export function knownTables(): ReadonlyMap<string, KnownTable> {
  const db = new DatabaseSync(":memory:");
  try {
    const known = new Map<string, KnownTable>();
    for (const { sql } of ownMigrations()) {
      db.exec(sql);
      for (const { name, hasRowid } of tablesOf(db)) {
        const columns = columnsOf(db, name, hasRowid);
        const lengths = new Set([...(known.get(name)?.lengths ?? []), columns.length]);
        known.set(name, { name, hasRowid, columns, lengths });
      }
    }
    return known;
  } finally {
    db.close();
  }
}

function tablesOf(db: DatabaseSync): readonly { readonly name: string; readonly hasRowid: boolean }[] {
  return db
    .prepare(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all()
    .map(({ name, wr }) => ({ name: String(name), hasRowid: wr === 0 }));
}

/** Without row numbers the key's columns come first. */
function columnsOf(db: DatabaseSync, table: string, hasRowid: boolean): KnownColumn[] {
  const rows = db.prepare("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid").all(table);
  const keys = rows.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a["pk"]) - Number(b["pk"]));
  const ordered = hasRowid ? rows : [...keys, ...rows.filter(({ pk }) => pk === 0)];
  return ordered.map(({ name, type, pk }) => ({
    name: String(name),
    type: String(type),
    isRowid: hasRowid && Number(pk) > 0 && keys.length === 1 && type === "INTEGER",
  }));
}

/** The row by its columns' names; `undefined` when it cannot be one of this table. */
export function nameValues(table: KnownTable, row: Row): Record<string, unknown> | undefined {
  if (!table.lengths.has(row.values.length) || (row.rowid !== undefined) !== table.hasRowid) return undefined;
  const named: Record<string, unknown> = {};
  for (const [index, { name, type, isRowid }] of table.columns.slice(0, row.values.length).entries()) {
    const value = isRowid ? row.rowid : row.values[index];
    if (!fits(type, value)) return undefined;
    named[name] = value;
  }
  return named;
}

/** Our tables are STRICT, so a value of another type is damage, or another table's. */
function fits(type: string, value: unknown): boolean {
  if (value === null || type === "ANY") return true;
  if (type === "TEXT") return typeof value === "string";
  return typeof value === "number" || typeof value === "bigint";
}

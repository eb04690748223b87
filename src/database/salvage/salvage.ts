import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { AppError } from "../../error.ts";
import { fileError } from "../copy.ts";
import { fileUsers, sayUsers } from "../file-users.ts";
import { isLockHeld, lockNames } from "../liveness.ts";
import { type KnownTable, knownTables, nameValues } from "./known-tables.ts";
import { PageFile } from "./page-file.ts";
import { findOwners } from "./page-owners.ts";
import { type IdOf, makeSayings, type Sayings } from "./sayings.ts";
import { readRows } from "./tree-page.ts";

/** What came of a salvage. */
export interface Salvaged {
  readonly path: string;
  /** Rows that were written, by kind of line. */
  readonly rows: Readonly<Record<string, number>>;
  /** Pages that could not be read, by table or index. */
  readonly lostPages: Readonly<Record<string, number>>;
  /** Rows that stand on a readable page and could not be read themselves, by table. */
  readonly brokenRows: Readonly<Record<string, number>>;
}

/** What others refer to comes first. */
const FIRST = ["setting", "actor", "queue", "rules", "job", "done", "history"];
const CHUNK_BYTES = 1 << 20;

/**
 * Writes what can be read of a database, damaged or not, as lines of JSON: jobs, ends, history and the other records, a
 * line each. It reads the file itself, without SQLite, so that one damaged page hides no other; nothing is changed. Only
 * for a process that has the database not open: closing a file drops this process's locks on it.
 *
 * @throws AppError `DATABASE_IN_USE`, `DATABASE_MISSING`, `DATABASE_EXISTS` when `to` exists, `DATABASE_FULL`, `DATABASE_UNWRITABLE`.
 */
export function salvage(path: string, to: string, idOf: IdOf): Salvaged {
  refuseUse(path);
  using file = PageFile.open(path);
  let descriptor: number;
  try {
    descriptor = openSync(to, "wx", 0o600);
  } catch (error) {
    throw fileError(error, to);
  }
  try {
    const output = new LineWriter(descriptor);
    const found = writeAll(file, output, idOf);
    output.end();
    return { path: to, ...found };
  } catch (error) {
    rmSync(to, { force: true });
    throw fileError(error, to);
  } finally {
    closeSync(descriptor);
  }
}

function refuseUse(path: string): void {
  const alive = lockNames(path).some((uuid) => isLockHeld(path, uuid));
  const users = fileUsers(path) ?? [];
  if (!alive && users.length === 0) return;
  const who = users.length > 0 ? sayUsers(users, "process") : "a worker";
  throw new AppError(
    "DATABASE_IN_USE",
    `what can be read of database ${path} cannot be saved while it is open in ${who}; stop that first`,
  );
}

type Found = Pick<Salvaged, "rows" | "lostPages" | "brokenRows">;

function writeAll(file: PageFile, output: LineWriter, idOf: IdOf): Found {
  const tables = knownTables();
  const { pages, guessed, lost } = findOwners(file, tables);
  const sayings = makeSayings(idOf);
  const rows: Record<string, number> = {};
  const broken: Record<string, number> = {};
  const rest = [...tables.keys()].filter((name) => !FIRST.includes(name));
  for (const name of [...FIRST, ...rest]) {
    const table = tables.get(name);
    if (table === undefined) continue;
    for (const page of pages.get(name) ?? [])
      writePage({ file, output, table, page, isGuessed: guessed.has(page), sayings, rows, broken });
  }
  return { rows, lostPages: Object.fromEntries(lost), brokenRows: broken };
}

interface PageJob {
  readonly file: PageFile;
  readonly output: LineWriter;
  readonly table: KnownTable;
  readonly page: number;
  readonly isGuessed: boolean;
  readonly sayings: Sayings;
  readonly rows: Record<string, number>;
  readonly broken: Record<string, number>;
}

function writePage({ file, output, table, page, isGuessed, sayings, rows, broken }: PageJob): void {
  const found = readRows(file, page);
  const count = (counts: Record<string, number>, name: string, by: number): void => {
    if (by > 0) counts[name] = (counts[name] ?? 0) + by;
  };
  count(broken, table.name, found.broken);
  for (const row of found.rows) {
    const named = nameValues(table, row);
    if (named === undefined) count(broken, table.name, 1);
    else {
      const line = sayings.say(table.name, named);
      output.write(isGuessed ? { ...line, guessed: true } : line);
      count(rows, line.record, 1);
    }
  }
}

/** Writes lines in large pieces. */
class LineWriter {
  readonly #descriptor: number;
  #lines: string[] = [];
  #bytes = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: unknown): void {
    const text = JSON.stringify(line);
    this.#lines.push(text);
    this.#bytes += text.length + 1;
    if (this.#bytes > CHUNK_BYTES) this.#flush();
  }

  end(): void {
    this.#flush();
    fsyncSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join("\n")}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#lines = [];
    this.#bytes = 0;
  }
}

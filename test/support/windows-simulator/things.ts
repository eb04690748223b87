import { DatabaseSync } from "node:sqlite";
import type { MachineEvent } from "./state-shapes.ts";

/**
 * Named things of several kinds, and the events that changed them, in one SQLite file that many processes open at once.
 * Names are not case-sensitive, as on Windows.
 */
export class Things<Kinds extends object> {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 10_000 });
    // Nothing of it has to survive a power cut.
    this.#db.exec("PRAGMA synchronous = OFF");
  }

  create(): void {
    this.#db.exec(`PRAGMA journal_mode = WAL;
      CREATE TABLE thing (kind TEXT, name TEXT COLLATE NOCASE, value TEXT NOT NULL, PRIMARY KEY (kind, name));
      CREATE TABLE event (id INTEGER PRIMARY KEY, at_ms INTEGER, kind TEXT, subject TEXT COLLATE NOCASE, detail TEXT);`);
  }

  named<Kind extends keyof Kinds & string>(kind: Kind): readonly (readonly [string, Kinds[Kind]])[] {
    const rows = this.#db.prepare("SELECT name, value FROM thing WHERE kind = ? ORDER BY name").all(kind);
    return rows.map(({ name, value }) => [String(name), JSON.parse(String(value))] as const);
  }

  all<Kind extends keyof Kinds & string>(kind: Kind): readonly Kinds[Kind][] {
    return this.named(kind).map(([, value]) => value);
  }

  one<Kind extends keyof Kinds & string>(kind: Kind, name: string): Kinds[Kind] | undefined {
    const row = this.#db.prepare("SELECT value FROM thing WHERE kind = ? AND name = ?").get(kind, name);
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  }

  /** Adds or replaces; the value is the detail of the event, unless another is given. */
  put<Kind extends keyof Kinds & string, T extends Kinds[Kind]>(
    kind: Kind,
    name: string,
    value: T,
    event: string,
    detail: unknown = value,
  ): T {
    return this.inTransaction(() => {
      this.#db
        .prepare("INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
        .run(kind, name, JSON.stringify(value));
      this.record(event, name, detail);
      return value;
    });
  }

  /** False when there was none of this name. */
  remove(kind: keyof Kinds & string, name: string, event: string): boolean {
    return this.inTransaction(() => {
      const { changes } = this.#db.prepare("DELETE FROM thing WHERE kind = ? AND name = ?").run(kind, name);
      if (changes === 0) return false;
      this.record(event, name, null);
      return true;
    });
  }

  record(kind: string, subject: string, detail: unknown): void {
    const insert = this.#db.prepare("INSERT INTO event (at_ms, kind, subject, detail) VALUES (?, ?, ?, ?)");
    insert.run(Date.now(), kind, subject, JSON.stringify(detail));
  }

  events(kind: string | undefined, subject: string | undefined): readonly MachineEvent[] {
    const select = this.#db.prepare(`SELECT id, at_ms AS atMs, kind, subject, detail FROM event
      WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR subject = ?2) ORDER BY id`);
    const rows = select.all(kind ?? null, subject ?? null) as unknown as (MachineEvent & { readonly detail: string })[];
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }

  inTransaction<T>(action: () => T): T {
    if (this.#db.isTransaction) return action();
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = action();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }
}

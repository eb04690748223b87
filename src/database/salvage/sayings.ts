/** Makes the id that users know from the key of the database and a job's number. */
export type IdOf = (key: string, number: number) => string;

/** A line of what was saved: what it is a record of, then the columns of the row. */
export interface Line {
  readonly record: string;
  readonly [column: string]: unknown;
}

/** Turns rows into lines that mean something without the database. */
export interface Sayings {
  say(table: string, row: Readonly<Record<string, unknown>>): Line;
}

/** What a table's rows are called, where its name says it badly. */
const NAMES: Readonly<Record<string, string>> = { done: "end" };
/** Columns that hold a job's number. */
const JOB_COLUMNS = ["job", "parent"];
/** Columns that hold JSON. */
const JSON_COLUMNS = ["env", "body", "data", "jobs", "files", "result", "error", "requires", "types", "labels"];

/** @param idOf makes ids once the key of the database was read. */
export function makeSayings(idOf: IdOf): Sayings {
  let key: string | undefined;
  const known = new Map<string, Readonly<Record<string, unknown>>>();
  const jobId = (number: unknown): string | null =>
    key === undefined || typeof number !== "number" ? null : idOf(key, number);
  return {
    say(table, row) {
      if (table === "setting" && row["name"] === "id_key") key = String(row["value"]);
      const parsed = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, readable(name, value)]));
      if (["actor", "queue", "rules"].includes(table)) known.set(`${table} ${row["id"]}`, parsed);
      const ids = Object.fromEntries(
        JOB_COLUMNS.filter((name) => name in row).map((name) => [`${name}_id`, jobId(row[name])]),
      );
      const record = NAMES[table] ?? table;
      if (table !== "job") return { record, ...ids, ...parsed };
      const { queue, rules, actor, ...rest } = parsed;
      const { type = null, requires = {} } = known.get(`queue ${queue}`) ?? {};
      const { kind, name } = known.get(`actor ${actor}`) ?? {};
      return {
        record,
        job_id: jobId(row["id"]),
        type,
        requires,
        actor: kind === undefined ? null : `${kind}:${name}`,
        rules: known.get(`rules ${rules}`)?.["body"] ?? null,
        ...rest,
      };
    },
  };
}

function readable(column: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (typeof value !== "string" || !JSON_COLUMNS.includes(column)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    // Damaged text is worth more than none.
    return value;
  }
}

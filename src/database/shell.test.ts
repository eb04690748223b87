import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./open.ts";
import { type QueryResult, queryDatabase } from "./shell.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shell-"));
  path = join(folder, "w.db");
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec(
    "INSERT INTO setting VALUES ('id_key', 'abcd'), ('big', 9007199254740993), ('bytes', x'0102'), ('real', 1.5); INSERT INTO queue VALUES (1, 'exec', '{}'), (2, 'app.x', '{}')",
  );
  db.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

const ask = (...statements: readonly string[]): QueryResult[] =>
  queryDatabase(path, statements, { rowsMax: 3, functions: { jobId: (key, number) => `${key}-${number}` } });

test("it answers each statement with its rows by the names of their columns", () => {
  expect(ask("SELECT id, type AS t FROM queue ORDER BY id", "SELECT 1 AS one, NULL AS none")).toEqual([
    {
      truncated: false,
      rows: [
        { id: 1, t: "exec" },
        { id: 2, t: "app.x" },
      ],
    },
    { truncated: false, rows: [{ one: 1, none: null }] },
  ]);
});

test("values of every kind can be shown, and a job's number becomes its id", () => {
  const [big, bytes, real, id] = ask(
    "SELECT value FROM setting WHERE name = 'big'",
    "SELECT value FROM setting WHERE name = 'bytes'",
    "SELECT value FROM setting WHERE name = 'real'",
    "SELECT job_id(42) AS value, job_id(NULL) AS none",
  );
  expect([big?.rows, bytes?.rows, real?.rows]).toEqual([
    [{ value: "9007199254740993" }],
    [{ value: "AQI=" }],
    [{ value: 1.5 }],
  ]);
  expect(id?.rows).toEqual([{ value: "abcd-42", none: null }]);
});

test("more rows than were asked for are not read", () => {
  const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  expect(ask(endless)).toEqual([{ rows: [{ i: 1 }, { i: 2 }, { i: 3 }], truncated: true }]);
  expect(ask("SELECT value FROM json_each('[1,2,3]')")).toMatchObject([{ truncated: false }]);
});

test("nothing is changed, whatever the SQL says", () => {
  const before = readFileSync(path);
  const other = join(folder, "other.db");
  const writing = [
    "DELETE FROM queue",
    "CREATE TABLE mine (a)",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    `ATTACH '${other}' AS other`,
    `VACUUM INTO '${other}'`,
    "BEGIN IMMEDIATE",
  ];
  for (const sql of writing) {
    try {
      ask(sql);
    } catch (error) {
      expect(error, sql).toMatchObject({ code: expect.stringMatching(/^(USAGE|DATABASE_BUSY)$/) });
    }
  }
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => !name.startsWith("w.db"))).toEqual([]);
  expect(ask("SELECT count(*) AS n FROM queue")[0]?.rows).toEqual([{ n: 2 }]);
});

test("wrong SQL is said with its reason", () => {
  expect(() => ask("SELEC 1")).toThrow('SELEC 1: near "SELEC": syntax error');
  expect(() => ask("SELECT * FROM nowhere")).toThrow("no such table: nowhere");
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../error.ts";
import { Connection, readJson } from "./connection.ts";
import { databaseError, sqliteCode, sqliteReason } from "./database-error.ts";
import { openDatabase } from "./open.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "connection-"));
  path = join(folder, "w.db");
  openDatabase(path, { mode: "write", nowMs: 0 }).close();
});
afterEach(() => rmSync(folder, { recursive: true }));

function codeOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return (error as AppError).code;
  }
}

test("what is damaged is said as such by whatever reads it", () => {
  const db = Connection.open(path);
  for (let n = 0; n < 100; n++) db.run("INSERT INTO setting (name, value) VALUES (?, ?)", `k${n}`, "x".repeat(500));
  const page = db.get<{ pageno: number }>("SELECT pageno FROM dbstat WHERE name = 'setting' AND pagetype = 'leaf'");
  db.close();
  const bytes = readFileSync(path);
  const from = ((page?.pageno ?? 1) - 1) * 4096;
  writeFileSync(path, bytes.fill(0xff, from, from + 4096));
  const damaged = Connection.open(path);
  expect(codeOf(() => damaged.all("SELECT * FROM setting"))).toBe("DATABASE_DAMAGED");
  expect(codeOf(() => damaged.get("SELECT count(DISTINCT value) FROM setting"))).toBe("DATABASE_DAMAGED");
  damaged.close();
});

test("a connection waits for nobody inside SQLite, and for the disk itself where a flush could mean less", () => {
  for (const options of [{}, { readOnly: true }]) {
    const db = Connection.open(path, options);
    for (let opened = 0; opened < 2; opened++) {
      const values = ["busy_timeout", "fullfsync", "checkpoint_fullfsync", "synchronous"].map((name) =>
        db.pragma(name),
      );
      expect(values).toEqual([0, 1, 1, 1]);
      db.reopen();
    }
    db.close();
  }
});

test("a connection that was opened again knows its statements", () => {
  const db = Connection.open(path);
  const count = (): unknown => db.get<{ n: number }>("SELECT count(*) AS n FROM setting")?.n;
  const before = count();
  db.reopen();
  expect([count(), db.isOpen, db.isTransaction]).toEqual([before, true, false]);
  db.close();
  db.close();
  expect(db.isOpen).toBe(false);
  expect(count).toThrow(
    expect.objectContaining({ code: "DATABASE_UNWRITABLE", message: `database ${path} was closed by this process` }),
  );
});

test("an error of SQLite keeps its code and its words when it became ours", () => {
  const raw = Object.assign(new Error("disk I/O error"), { errcode: 10 | (3 << 8) });
  const ours = databaseError(raw, path);
  expect([sqliteCode(raw), sqliteCode(ours), sqliteReason(ours)]).toEqual([10, 10, "disk I/O error"]);
  expect(databaseError(ours, path)).toBe(ours);
  const other = new AppError("QUEUE_FULL", "no room");
  expect([sqliteCode(other), databaseError(other, path)]).toEqual([undefined, other]);
});

test("a file that cannot grow is said as such by whatever writes, and what a statement breaks by itself is not", () => {
  const db = Connection.open(path);
  db.exec("CREATE TABLE word (text TEXT UNIQUE)");
  db.run("INSERT INTO word VALUES ('a')");
  expect(() => db.run("INSERT INTO word VALUES ('a')")).toThrow("UNIQUE constraint failed: word.text");
  expect(() => db.exec("INSERT INTO word VALUES ('a')")).toThrow("UNIQUE constraint failed: word.text");
  db.exec(`PRAGMA max_page_count = ${String(db.pragma("page_count"))}`);
  const full = expect.objectContaining({
    code: "DATABASE_FULL",
    message: expect.stringContaining(`database ${path} could not grow: the disk is full`),
  });
  expect(() => db.run("INSERT INTO word VALUES (?)", "x".repeat(50_000))).toThrow(full);
  expect(() => db.exec("INSERT INTO word VALUES (hex(zeroblob(50000)))")).toThrow(full);
  db.close();
});

test("no room for the index of the log is a full disk", () => {
  const raw = Object.assign(new Error("disk I/O error"), { errcode: 10 | (19 << 8) });
  expect(databaseError(raw, path)).toMatchObject({ code: "DATABASE_FULL" });
});

test("text that should be JSON and is not means damage", () => {
  expect(readJson<unknown>('{"a":1}', "job 1")).toEqual({ a: 1 });
  expect(() => readJson('{"a":', "job 1")).toThrow('job 1 does not hold JSON: "{\\"a\\":"; run `windlass db check`');
});

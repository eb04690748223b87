import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { APPLICATION_ID, ownMigrations, schemaVersion } from "./migrate.ts";
import { type OpenMode, openDatabase } from "./open.ts";

const NEWEST = schemaVersion(ownMigrations());

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "open-"));
  path = join(folder, "w.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openAndClose(mode: OpenMode, file = path): void {
  openDatabase(file, { mode, nowMs: 0 }).close();
}

function codeOf(mode: OpenMode, file = path): string {
  try {
    openAndClose(mode, file);
    return "opened";
  } catch (error) {
    return (error as AppError).code;
  }
}

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

/** The bytes of a database; the index of its log (-shm) is not part of it. */
function bytes(): Record<string, string> {
  const files = readdirSync(folder).filter((name) => !name.endsWith("-shm") && statSync(join(folder, name)).isFile());
  // An empty log says nothing.
  const full = files.filter((name) => statSync(join(folder, name)).size > 0);
  return Object.fromEntries(
    full.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

/** Runs SQL in a process that is killed, so that its log stays beside the file. */
function runAndDie(sql: string): void {
  const script = `const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(process.argv[1]).exec(process.argv[2]); process.kill(process.pid, "SIGKILL")`;
  spawnSync(process.execPath, ["-e", script, path, sql]);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
}

test("the first writing command creates a database of its owner's alone", () => {
  path = join(folder, "new", "deep", "w.db");
  const before = process.umask(0);
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  process.umask(before);
  expect([modeOf(join(folder, "new")), modeOf(join(folder, "new", "deep"))]).toEqual(["700", "700"]);
  expect([modeOf(path), modeOf(`${path}-wal`), modeOf(`${path}-shm`)]).toEqual(["600", "600", "600"]);
  const pragmas = ["journal_mode", "auto_vacuum", "application_id", "user_version"].map((name) => db.pragma(name));
  expect(pragmas).toEqual(["wal", 2, APPLICATION_ID, NEWEST]);
  db.close();
});

test("a reading command says that there is no database, and makes none", () => {
  expect(codeOf("read")).toBe("DATABASE_MISSING");
  expect(() => openAndClose("read")).toThrow(`there is no database at ${path}`);
  writeFileSync(path, "");
  expect(codeOf("read")).toBe("DATABASE_MISSING");
  expect(statSync(path).size).toBe(0);
  expect(readdirSync(folder)).toEqual(["w.db"]);
});

test("an empty file is filled", () => {
  writeFileSync(path, "");
  expect(codeOf("write")).toBe("opened");
  expect(codeOf("read")).toBe("opened");
});

test("a name with marks that mean something in an address is just a name", () => {
  const odd = join(folder, "a b#c?mode=ro%41.db");
  expect(codeOf("write", odd)).toBe("opened");
  expect(existsSync(odd)).toBe(true);
});

test("another program's database is told by what stands in it", () => {
  const other = new DatabaseSync(path);
  const says = (): string => {
    try {
      openAndClose("write");
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "opened";
  };
  other.exec("CREATE TABLE a (b)");
  expect(says()).toContain("it has 1 table");
  expect(says()).not.toContain("1 tables");
  other.exec("CREATE INDEX c ON a (b)");
  expect(says()).toContain("it has 2 tables and indexes");
  other.close();
});

/** Every file that is not ours to change, and what is said of it when it is opened for writing. */
const UNFIT: readonly [what: string, code: string, make: () => void][] = [
  ["another program's database", "DATABASE_FOREIGN", () => new DatabaseSync(path).exec("CREATE TABLE a (b)")],
  [
    "another program's database with a log",
    "DATABASE_FOREIGN",
    () => runAndDie("PRAGMA journal_mode=WAL; CREATE TABLE a (b); INSERT INTO a VALUES (1)"),
  ],
  [
    "another program's empty database with its own id",
    "DATABASE_FOREIGN",
    () => new DatabaseSync(path).exec("PRAGMA application_id=7"),
  ],
  [
    "a newer database with a log",
    "DATABASE_NEWER",
    () => {
      openAndClose("write");
      runAndDie(`PRAGMA user_version=${NEWEST + 1}; CREATE TABLE later (a)`);
    },
  ],
  ["a text file", "DATABASE_FOREIGN", () => writeFileSync(path, "jobs:\n  - one\n".repeat(500))],
  ["a few bytes", "DATABASE_FOREIGN", () => writeFileSync(path, "SQLite")],
  [
    "a truncated database",
    "DATABASE_DAMAGED",
    () => {
      openAndClose("write");
      writeFileSync(path, readFileSync(path).subarray(0, 3 * 4096));
    },
  ],
  [
    "a database that was emptied and whose log is left",
    "DATABASE_DAMAGED",
    () => {
      openAndClose("write");
      runAndDie("CREATE TABLE a (b)");
      truncateSync(path, 0);
    },
  ],
  [
    "rubbish with a log",
    "DATABASE_FOREIGN",
    () => {
      openAndClose("write");
      runAndDie("INSERT INTO setting (name, value) VALUES ('a', 1)");
      writeFileSync(path, "rubbish ".repeat(1_000));
    },
  ],
  ["a folder", "DATABASE_FOREIGN", () => mkdirSync(path)],
];

test.each(UNFIT)("%s is refused as %s and left untouched byte for byte", (_, code, make) => {
  make();
  const before = bytes();
  for (const mode of ["write", "migrate", "read"] as const) expect(codeOf(mode)).toBe(code);
  expect(bytes()).toEqual(before);
});

test("an older database is refused by commands that do not migrate, and left untouched", () => {
  openAndClose("write");
  const next = [...ownMigrations(), { version: NEWEST + 1, sql: "CREATE TABLE later (a)", writerMin: 1 }];
  const before = bytes();
  for (const mode of ["write", "read"] as const) {
    expect(() => openDatabase(path, { mode, nowMs: 0, migrations: next })).toThrow(
      `has schema ${NEWEST} and this windlass needs ${NEWEST + 1}; run \`windlass db migrate --db ${path}\``,
    );
  }
  expect(bytes()).toEqual(before);
});

test("reading changes no byte, with and without a log", () => {
  openAndClose("write");
  const clean = bytes();
  openAndClose("read");
  expect(bytes()).toEqual(clean);
  runAndDie("INSERT INTO setting (name, value) VALUES ('a', 1)");
  const withLog = bytes();
  expect(Object.keys(withLog)).toEqual(["w.db", "w.db-wal"]);
  const db = openDatabase(path, { mode: "read", nowMs: 0 });
  expect(db.get("SELECT value FROM setting WHERE name = 'a'")).toEqual({ value: 1 });
  expect(() => db.exec("DELETE FROM setting")).toThrow("readonly");
  db.close();
  expect(bytes()).toEqual(withLog);
});

test("a copy without a log gets one when it is opened for writing", () => {
  openAndClose("write");
  const copy = join(folder, "copy.db");
  const db = Connection.open(path);
  db.run("VACUUM INTO ?", copy);
  db.close();
  const opened = openDatabase(copy, { mode: "write", nowMs: 0 });
  expect([opened.pragma("journal_mode"), opened.pragma("auto_vacuum")]).toEqual(["wal", 2]);
  opened.close();
});

test("a file that vanished is not created again by a connection", () => {
  openAndClose("write");
  const db = Connection.open(path);
  rmSync(path);
  expect(() => db.reopen()).toThrow("cannot be opened");
  expect([existsSync(path), db.isOpen, db.isTransaction]).toEqual([false, false, false]);
});

test("a place where nothing can be made is named", ({ skip }) => {
  const below = join(folder, "file", "w.db");
  writeFileSync(join(folder, "file"), "");
  expect(() => openAndClose("write", below)).toThrow(`database ${below} cannot be created`);
  expect(codeOf("write", below)).toBe("DATABASE_UNWRITABLE");
  const disk = join(folder, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return skip("needs the right to mount a small tmpfs: run as root on Linux");
  }
  try {
    expect(codeOf("write", join(disk, "w.db"))).toBe("DATABASE_UNWRITABLE");
    expect(codeOf("read", join(disk, "w.db"))).toBe("DATABASE_MISSING");
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("processes that create it at the same moment all get the same database", async () => {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `import { openDatabase } from ${module("./open.ts")};
    import { Writer } from ${module("./writer.ts")};
    import { systemClock } from ${module("../clock.ts")};
    while (Date.now() < Number(process.argv[2]));
    const db = openDatabase(process.argv[1], { mode: "write", nowMs: 0 });
    const writer = new Writer(db, systemClock, { onCommit() {}, onRollback() {} });
    await writer.mutate((tx) => tx.db.run("INSERT INTO setting (name, value) VALUES (?, 1)", String(process.pid)));
    db.close();`;
  const at = String(Date.now() + 400);
  const exits = Array.from({ length: 4 }, () =>
    once(spawn(process.execPath, ["--input-type=module", "-e", script, path, at], { stdio: "inherit" }), "exit"),
  );
  expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0, 0, 0]);
  const db = openDatabase(path, { mode: "read", nowMs: 0 });
  expect(db.get("SELECT count(*) AS n FROM setting WHERE value = 1 AND name <> 'writer_min'")).toEqual({ n: 4 });
  expect(db.get("SELECT count(*) AS n FROM migration")).toEqual({ n: NEWEST });
  db.close();
});

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../error.ts";
import { backup } from "./backup.ts";
import { Connection } from "./connection.ts";
import { holdLock, lockFile, lockNames } from "./liveness.ts";
import { ownMigrations, schemaVersion } from "./migrate.ts";
import { openAnyVersion, openDatabase } from "./open.ts";
import { restore } from "./restore.ts";

const NEWEST = schemaVersion(ownMigrations());

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

let folder = "";
let path = "";
let file = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "restore-"));
  path = join(folder, "w.db");
  file = join(folder, "copy.db");
  children = [];
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec(
    "INSERT INTO setting (name, value) VALUES ('which', 'old'), ('epoch', 2048); INSERT INTO lease VALUES (7, 1, 0, '[]')",
  );
  enterWorker(db, "then");
  db.close();
  backup(path, file);
  const later = Connection.open(path);
  later.exec("UPDATE setting SET value = 'new' WHERE name = 'which'");
  later.close();
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function enterWorker(db: Connection, uuid: string): void {
  db.run(
    "INSERT INTO worker (uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono) VALUES (?, 'here', 4711, 'b', 1, '/', '[]', '{}', 1, 1, 0, 0)",
    uuid,
  );
}

const whichOf = (database: string): unknown => {
  const db = openAnyVersion(database);
  try {
    expect(db.pragma("integrity_check")).toBe("ok");
    return db.get<{ value: string }>("SELECT value FROM setting WHERE name = 'which'")?.value;
  } finally {
    db.close();
  }
};

function codeOf(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as AppError).code;
  }
}

function kill(child: ChildProcess): Promise<unknown> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  return exit;
}

test("the backup takes the place of the database, which is kept beside it", () => {
  const done = restore(file, path, NOW);
  const replaced = `${path}.replaced-20260102T030405Z`;
  expect(done).toEqual({ path, schema: NEWEST, replaced, leases: 1 });
  expect([whichOf(path), whichOf(replaced), whichOf(file)]).toEqual(["old", "new", "old"]);
  expect([statSync(path).mode & 0o777, statSync(path).nlink]).toEqual([0o600, 1]);
  expect(readdirSync(folder).filter((name) => name.startsWith("w.db.replaced"))).toEqual([
    "w.db.replaced-20260102T030405Z",
  ]);
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  // What was given out after the backup was taken is not given out again.
  expect(db.get("SELECT value FROM setting WHERE name = 'epoch'")).toEqual({ value: 2048 + 2 ** 32 });
  expect([db.pragma("journal_mode"), db.pragma("auto_vacuum")]).toEqual(["wal", 2]);
  db.close();
  expect(restore(file, path, NOW).replaced).toBe(`${replaced}.1`);
});

test("what was only in the log of the replaced database is kept with it", () => {
  const script = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec("UPDATE setting SET value = 'newest' WHERE name = 'which'"); process.kill(process.pid, "SIGKILL")`;
  spawnSync(process.execPath, ["-e", script, path]);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  const { replaced } = restore(file, path, NOW);
  expect([whichOf(path), whichOf(replaced ?? "")]).toEqual(["old", "newest"]);
});

test("a database that is gone, or never was there, is made", () => {
  const other = join(folder, "new", "w.db");
  expect(restore(file, other, NOW)).toMatchObject({ path: other, replaced: null });
  expect(whichOf(other)).toBe("old");
  expect([statSync(join(folder, "new")).mode & 0o777, statSync(other).mode & 0o777]).toEqual([0o700, 0o600]);
});

test("a worker that lives is named, also beside a damaged database", () => {
  const db = Connection.open(path);
  enterWorker(db, "now");
  db.close();
  using _lock = holdLock(path, "now");
  expect(() => restore(file, path, NOW)).toThrow("while workers run on it: pid 4711 on here; stop them first");
  expect([codeOf(() => restore(file, path, NOW)), whichOf(path)]).toEqual(["DATABASE_IN_USE", "new"]);
  writeFileSync(path, "rubbish");
  expect(() => restore(file, path, NOW)).toThrow("while workers run on it: now; stop them first");
  expect(readFileSync(path, "utf8")).toBe("rubbish");
});

test("a process that only has it open is named", async () => {
  const script = `const db = new (require("node:sqlite").DatabaseSync)(process.argv[1]); db.exec("SELECT count(*) FROM setting"); console.log("open"); setInterval(() => 0, 1000)`;
  const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
  expect(() => restore(file, path, NOW)).toThrow(`while it is open in pid ${child.pid} (node)`);
  expect([codeOf(() => restore(file, path, NOW)), whichOf(path)]).toEqual(["DATABASE_IN_USE", "new"]);
  await kill(child);
  expect(restore(file, path, NOW).path).toBe(path);
  expect(readdirSync(folder).filter((name) => name.includes("restoring"))).toEqual([]);
});

test("a damaged database is replaced and kept with its log", () => {
  rmSync(path);
  writeFileSync(path, "no database any more");
  writeFileSync(`${path}-wal`, "its log");
  const { replaced } = restore(file, path, NOW);
  expect(whichOf(path)).toBe("old");
  expect(readFileSync(replaced ?? "", "utf8")).toBe("no database any more");
  expect(readFileSync(`${replaced}-wal`, "utf8")).toBe("its log");
});

test("locks that dead workers left go with their database", () => {
  mkdirSync(`${path}.workers`);
  writeFileSync(lockFile(path, "left"), "");
  restore(file, path, NOW);
  expect(lockNames(path)).toEqual([]);
});

test("only a sound database of ours that is not newer is taken", () => {
  const foreign = join(folder, "foreign.db");
  new DatabaseSync(foreign).exec("CREATE TABLE a (b)");
  expect(codeOf(() => restore(foreign, path, NOW))).toBe("DATABASE_FOREIGN");
  expect(codeOf(() => restore(join(folder, "none.db"), path, NOW))).toBe("DATABASE_MISSING");
  expect(codeOf(() => restore(path, path, NOW))).toBe("USAGE");
  expect(codeOf(() => restore(file, foreign, NOW))).toBe("DATABASE_FOREIGN");
  expect(codeOf(() => restore(file, folder, NOW))).toBe("DATABASE_FOREIGN");
  const bytes = readFileSync(file);
  writeFileSync(file, Buffer.concat([bytes.subarray(0, bytes.length - 4096), Buffer.alloc(4096, 7)]));
  expect(codeOf(() => restore(file, path, NOW))).toBe("DATABASE_DAMAGED");
  writeFileSync(file, bytes);
  new DatabaseSync(file).exec("PRAGMA user_version=99");
  expect(codeOf(() => restore(file, path, NOW))).toBe("DATABASE_NEWER");
  expect([whichOf(path), readdirSync(folder).filter((name) => name.includes("re"))]).toEqual(["new", ["foreign.db"]]);
});

test("a restore that is killed leaves the old or the new database, whole", async () => {
  const script = `import { restore } from ${JSON.stringify(new URL("./restore.ts", import.meta.url).href)};
    console.log("start");
    for (let n = 0; ; n++) restore(process.argv[2 + (n % 2)], process.argv[1], ${NOW} + n * 1000);`;
  const other = join(folder, "other.db");
  backup(path, other);
  const seen = new Set<unknown>();
  for (const afterMs of [3, 8, 15, 24, 35]) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, path, file, other], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await kill(child);
    seen.add(whichOf(path));
  }
  expect([...seen].filter((which) => which !== "old" && which !== "new")).toEqual([]);
});

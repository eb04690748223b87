import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../error.ts";
import { Connection } from "./connection.ts";
import { holdLock } from "./liveness.ts";
import { type Migration, migrate, ownMigrations } from "./migrate.ts";
import { openDatabase, type Upgrade } from "./open.ts";

const FIRST: readonly Migration[] = ownMigrations().slice(0, 1);
const step = (sql: string, version = 2): Migration => ({ version, sql, writerMin: version });
const SECOND: readonly Migration[] = [...FIRST, step("CREATE TABLE later (a); INSERT INTO later VALUES (1)")];

let folder = "";
let path = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "migrate-"));
  path = join(folder, "w.db");
  children = [];
  const db = openDatabase(path, { mode: "write", nowMs: 1_000, migrations: FIRST });
  db.run("INSERT INTO setting (name, value) VALUES ('mine', 'kept')");
  db.close();
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const copies = (): string[] => readdirSync(folder).filter((name) => name.includes(".before-"));

function upgradeTo(migrations: readonly Migration[]): Upgrade | undefined {
  let upgrade: Upgrade | undefined;
  openDatabase(path, { mode: "migrate", nowMs: 2_000, migrations, onUpgrade: (done) => (upgrade = done) }).close();
  return upgrade;
}

function read<T>(sql: string, file = path): T | undefined {
  const db = Connection.open(file, { readOnly: true });
  try {
    return db.get<T>(sql);
  } finally {
    db.close();
  }
}

const versionOf = (file = path): unknown => read<{ user_version: number }>("PRAGMA user_version", file)?.user_version;

/** Enters a worker as the schema knows it. */
function enterWorker(uuid: string, schema: number): void {
  const db = Connection.open(path);
  db.run(
    "INSERT INTO worker (uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono) VALUES (?, 'here', 4711, 'boot', ?, '/', '[]', '{}', 1, 1000, 0, 0)",
    uuid,
    schema,
  );
  db.close();
}

test("steps are taken in order, after a copy of what was there, and never twice", () => {
  const third = [...SECOND, step("INSERT INTO later SELECT a + 1 FROM later", 3)];
  const copy = `${path}.before-1`;
  expect(upgradeTo(third)).toEqual({ from: 1, to: 3, copy });
  expect(read("SELECT group_concat(a) AS a FROM later")).toEqual({ a: "1,2" });
  expect(read("SELECT group_concat(version || ':' || at) AS taken FROM migration")).toEqual({
    taken: "1:1000,2:2000,3:2000",
  });
  expect(read("SELECT value FROM setting WHERE name = 'writer_min'")).toEqual({ value: 3 });
  expect(versionOf(copy)).toBe(1);
  expect(read("SELECT value FROM setting WHERE name = 'mine'", copy)).toEqual({ value: "kept" });
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(upgradeTo(third)).toBeUndefined();
  expect(copies()).toEqual(["w.db.before-1"]);
});

test("a copy of an earlier attempt keeps its name", () => {
  upgradeTo(SECOND);
  const db = Connection.open(path);
  db.exec("DROP TABLE later; DELETE FROM migration WHERE version = 2; PRAGMA user_version=1");
  db.close();
  expect(upgradeTo(SECOND)?.copy).toBe(`${path}.before-1.1`);
});

test("a step that fails leaves the old schema whole, and no copy of what did not change", () => {
  const broken = [...SECOND, step("CREATE TABLE more (a); SELECT a FROM nowhere", 3)];
  expect(() => upgradeTo(broken)).toThrow("no such table: nowhere");
  expect(versionOf()).toBe(1);
  expect(read("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('later', 'more')")).toEqual({ n: 0 });
  expect(copies()).toEqual([]);
});

test("a step that was changed after it was taken is refused", () => {
  const [first] = FIRST;
  const changed = [{ version: 1, writerMin: 1, sql: `${first?.sql} ` }, ...SECOND.slice(1)];
  expect(() => upgradeTo(changed)).toThrow("its schema step 1 is not the one that this windlass knows");
  expect([versionOf(), copies()]).toEqual([1, []]);
});

test("an older worker that lives is named, and nothing is migrated beside it", () => {
  enterWorker("old", 1);
  enterWorker("new", 2);
  enterWorker("dead", 1);
  const lock = holdLock(path, "old");
  using _newer = holdLock(path, "new");
  let code: string | undefined;
  try {
    upgradeTo(SECOND);
  } catch (error) {
    code = (error as AppError).code;
    expect((error as AppError).message).toContain("while older workers run: pid 4711 on here (schema 1); stop them");
  }
  expect([code, versionOf(), copies()]).toEqual(["DATABASE_IN_USE", 1, []]);
  lock[Symbol.dispose]();
  expect(upgradeTo(SECOND)?.to).toBe(2);
});

test("older workers are asked for where none can enter any more", () => {
  const db = Connection.open(path);
  const other = Connection.open(path);
  const found = migrate(db, SECOND, 0, () => {
    expect(() => other.run("INSERT INTO setting (name, value) VALUES ('late', 1)")).toThrow("locked");
  });
  expect(found).toBe(1);
  expect(migrate(db, SECOND, 0)).toBeUndefined();
  other.close();
  db.close();
});

function spawnUpgrade(migrations: readonly Migration[]): ChildProcess {
  const script = `import { openDatabase } from ${JSON.stringify(new URL("./open.ts", import.meta.url).href)};
    const [, path, migrations] = process.argv;
    console.log("start");
    openDatabase(path, { mode: "migrate", nowMs: 0, migrations: JSON.parse(migrations) }).close();`;
  const args = ["--input-type=module", "-e", script, path, JSON.stringify(migrations)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

test("a crash in the middle leaves the old schema, and the next one goes through", async () => {
  const long =
    "CREATE TABLE later (a); INSERT INTO later WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  const child = spawnUpgrade([...FIRST, step(long)]);
  // The copy is made and the step has written beyond its cache.
  const deadline = Date.now() + 10_000;
  const logBytes = (): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  while (logBytes() < 1_000_000 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(logBytes()).toBeGreaterThan(1_000_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect([versionOf(), copies()]).toEqual([1, ["w.db.before-1"]]);
  expect(upgradeTo(SECOND)).toMatchObject({ from: 1, to: 2, copy: `${path}.before-1.1` });
  expect(read("SELECT count(*) AS n FROM later")).toEqual({ n: 1 });
});

test("several processes that migrate at once do it once", async () => {
  const exits = Array.from({ length: 3 }, () => once(spawnUpgrade(SECOND), "exit"));
  expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0, 0]);
  expect(read("SELECT count(*) AS n FROM later")).toEqual({ n: 1 });
  expect(copies()).toHaveLength(1);
});

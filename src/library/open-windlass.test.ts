import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, vi } from "vitest";
import { test } from "../../test/support/library.ts";
import { ownMigrations } from "../database/migrate.ts";
import { openDatabase } from "../database/open.ts";
import { openWindlass } from "../index.ts";

describe("opening", () => {
  test("makes a database that does not exist, and says where it is", async ({ open, db }) => {
    const client = await open();
    expect(client.embedded?.path).toBe(db);
    expect(client.capabilities.transaction).toBe(true);
    expect(client.warnings).toEqual([]);
    expect(readFileSync(db).subarray(0, 15).toString()).toBe("SQLite format 3");
  });

  test("refuses a file that is not ours and leaves it untouched", async ({ open, db }) => {
    const other = new DatabaseSync(db);
    other.exec("CREATE TABLE note (text TEXT)");
    other.close();
    const before = readFileSync(db);
    await expect(open()).rejects.toMatchObject({ code: "DATABASE_FOREIGN" });
    expect(readFileSync(db).equals(before)).toBe(true);
  });

  test("refuses a newer database", async ({ open, db }) => {
    await (await open()).close();
    const other = new DatabaseSync(db);
    other.exec("PRAGMA user_version=999");
    other.close();
    await expect(open()).rejects.toMatchObject({ code: "DATABASE_NEWER" });
    await expect(open({ migrate: true })).rejects.toMatchObject({ code: "DATABASE_NEWER" });
  });

  test("migrates an older database for who may, and leaves it as it is for an agent that may not", async ({
    open,
    db,
  }) => {
    openDatabase(db, { mode: "migrate", nowMs: 0, migrations: ownMigrations().slice(0, 2) }).close();
    const before = readFileSync(db);
    await expect(open({ migrate: true, actor: "agent:codex" })).rejects.toMatchObject({
      code: "POLICY_DENIED",
      message: expect.stringContaining("db.migrate was refused"),
    });
    expect(readFileSync(db).equals(before)).toBe(true);
    await open({ migrate: true });
    await open({ migrate: true, actor: "agent:codex" });
  });

  test("names a place that cannot be written", async ({ open, folder }) => {
    writeFileSync(join(folder, "file"), "");
    const db = join(folder, "file", "windlass.db");
    await expect(open({ db })).rejects.toMatchObject({ code: "DATABASE_UNWRITABLE" });
  });

  test("waits for another process that is inside a transaction", async ({ open, db }) => {
    await open();
    const other = new DatabaseSync(db);
    other.exec("BEGIN IMMEDIATE");
    const opening = open();
    setTimeout(() => other.exec("COMMIT"), 20);
    await expect(opening).resolves.toBeDefined();
    other.close();
  });

  test("gives up after connectTimeout, and can be tried again", async ({ open, db }) => {
    await open();
    const other = new DatabaseSync(db);
    other.exec("BEGIN IMMEDIATE");
    await expect(open({ connectTimeout: "100ms" })).rejects.toMatchObject({
      code: "DATABASE_BUSY",
      message: expect.stringContaining("within 100ms (connectTimeout)"),
    });
    other.exec("COMMIT");
    other.close();
    await expect(open({ connectTimeout: "5s" })).resolves.toBeDefined();
  });

  test("gives up after connectTimeout where the whole file is locked", async ({ open, db }) => {
    await (await open()).close();
    const other = new DatabaseSync(db);
    other.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    const startMs = performance.now();
    await expect(open({ connectTimeout: "100ms" })).rejects.toMatchObject({ code: "DATABASE_BUSY" });
    expect(performance.now() - startMs).toBeLessThan(5_000);
    other.close();
  });

  test("refuses a backend that this version does not have", async ({ open }) => {
    await expect(open({ config: { backend: "hatchet" } })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("configuration", () => {
  test("keys may stand in blocks or by their full names; other names of a key count too", async ({ open, folder }) => {
    for (const config of [
      { database: { path: join(folder, "a.db") } },
      { "database.path": join(folder, "a.db"), hatchet: { job_timeout: "1m" } },
    ]) {
      const client = await open({ config, db: undefined as never });
      expect(client.embedded?.path).toBe(join(folder, "a.db"));
    }
  });

  test("the file and the environment are read, and what the code says wins", async ({ open, folder }) => {
    const configFile = join(folder, "mine.yaml");
    mkdirSync(join(folder, "data"));
    writeFileSync(configFile, "database: { path: data/file.db }\n");
    const none = undefined as never;
    expect((await open({ configFile, db: none })).embedded?.path).toBe(join(folder, "data", "file.db"));
    vi.stubEnv("WINDLASS_DB", join(folder, "environment.db"));
    try {
      expect((await open({ configFile, db: none })).embedded?.path).toBe(join(folder, "environment.db"));
      expect((await open({ configFile, db: join(folder, "code.db") })).embedded?.path).toBe(join(folder, "code.db"));
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("a wrong key is refused with the nearest one, a wrong value with its key", async ({ open }) => {
    await expect(open({ config: { "worker.concurency": 3 } })).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("worker.concurrency"),
    });
    await expect(open({ config: { worker: { concurrency: 0 } } })).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("worker.concurrency"),
    });
    await expect(openWindlass({ config: [] as object })).rejects.toMatchObject({ code: "CONFIG" });
  });

  test("what may not stand in code says where it belongs", async ({ open }) => {
    const refused = async (config: object, words: string): Promise<void> =>
      expect(open({ config: { ...config } })).rejects.toMatchObject({
        code: "CONFIG",
        message: expect.stringContaining(words),
      });
    await refused({ actor: "agent:x" }, "openWindlass({ actor })");
    await refused({ metrics_path: "/tmp/x" }, "environment only");
    await refused({ hosts: { lab1: {} } }, "configFile");
  });

  test("a file that is not there is named", async ({ open, folder }) => {
    const configFile = join(folder, "none.yaml");
    await expect(open({ configFile })).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("does not exist"),
    });
  });

  test("warnings of the loader are handed on", async ({ open }) => {
    vi.stubEnv("WINDLASS_TIMEOUT", "5s");
    vi.stubEnv("WIN_AUTOMATION_TIMEOUT", "6s");
    try {
      expect((await open()).warnings).toEqual([expect.stringContaining("WIN_AUTOMATION_TIMEOUT is ignored")]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppError } from "../error.ts";
import { backup } from "./backup.ts";
import { Connection } from "./connection.ts";
import { ownMigrations, schemaVersion } from "./migrate.ts";
import { openAnyVersion, openDatabase } from "./open.ts";

const NEWEST = schemaVersion(ownMigrations());

let folder = "";
let path = "";
let to = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-"));
  path = join(folder, "w.db");
  to = join(folder, "copy.db");
  children = [];
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec("CREATE TABLE pair (a INTEGER, b INTEGER)");
  db.close();
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(script: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

/** A process that writes both halves of a pair in one commit, for ever, in two statements with pages between them. */
async function startWriter(): Promise<ChildProcess> {
  const child = start(
    `import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync(process.argv[1], { timeout: 1000 });
    for (let n = 1; ; n++) {
      db.exec("BEGIN IMMEDIATE; INSERT INTO pair VALUES (" + n + ", zeroblob(3000)); INSERT INTO pair VALUES (-" + n + ", 0); COMMIT");
      if (n === 300) console.log("writes");
    }`,
    path,
  );
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as AppError).code;
  }
}

test("a backup while workers write is of one moment, sound, and of its owner alone", async () => {
  await startWriter();
  const before = process.umask(0);
  const done = backup(path, to);
  process.umask(before);
  expect(done).toEqual({ path: to, bytes: statSync(to).size, schema: NEWEST });
  expect(statSync(to).mode & 0o777).toBe(0o600);
  const copy = openAnyVersion(to);
  expect(copy.get("SELECT count(*) > 500 AS many, sum(a) AS sum FROM pair")).toEqual({ many: 1, sum: 0 });
  expect([copy.pragma("integrity_check"), copy.pragma("journal_mode")]).toEqual(["ok", "delete"]);
  copy.close();
  expect(readdirSync(folder).filter((name) => name.startsWith("copy.db"))).toEqual(["copy.db"]);
});

test("nothing that stands there is overwritten", () => {
  writeFileSync(to, "precious");
  expect(codeOf(() => backup(path, to))).toBe("DATABASE_EXISTS");
  expect(readFileSync(to, "utf8")).toBe("precious");
  expect(codeOf(() => backup(path, path))).toBe("DATABASE_EXISTS");
});

test("what cannot be copied is said, and leaves nothing behind", () => {
  expect(codeOf(() => backup(join(folder, "none.db"), to))).toBe("DATABASE_MISSING");
  expect(codeOf(() => backup(path, join(folder, "no", "copy.db")))).toBe("DATABASE_UNWRITABLE");
  const db = Connection.open(path);
  for (let n = 0; n < 50; n++) db.run("INSERT INTO pair VALUES (?, zeroblob(3000))", n);
  db.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, bytes.length - 8 * 4096, bytes.length - 4 * 4096));
  expect(codeOf(() => backup(path, to))).toBe("DATABASE_DAMAGED");
  expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).toEqual([]);
});

test("a full disk leaves nothing behind", ({ skip }) => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return skip("needs the right to mount a small tmpfs: run as root on Linux");
  }
  try {
    expect(codeOf(() => backup(path, join(disk, "copy.db")))).toBe("DATABASE_FULL");
    expect(readdirSync(disk)).toEqual([]);
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("a backup that is killed leaves nothing under its name", async () => {
  const db = Connection.open(path);
  db.exec("BEGIN");
  for (let n = 0; n < 3_000; n++) db.run("INSERT INTO pair VALUES (?, zeroblob(3000))", n);
  db.exec("COMMIT");
  db.close();
  const script = `import { backup } from ${JSON.stringify(new URL("./backup.ts", import.meta.url).href)};
    console.log("start");
    backup(process.argv[1], process.argv[2]);`;
  let killed = 0;
  for (const afterMs of [0, 2, 5, 10, 20, 30]) {
    const child = start(script, path, to);
    if (child.stdout !== null) await once(child.stdout, "data");
    const exit = once(child, "exit");
    setTimeout(() => child.kill("SIGKILL"), afterMs);
    const [code] = await exit;
    if (code === null) killed++;
    // Either nothing, or all of it.
    if (!existsSync(to)) continue;
    const copy = openAnyVersion(to);
    expect(copy.get("SELECT count(*) AS n FROM pair")).toEqual({ n: 3_000 });
    copy.close();
    rmSync(to);
  }
  expect(killed).toBeGreaterThan(0);
});

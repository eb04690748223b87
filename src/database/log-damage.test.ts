import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./open.ts";

const COMMITS = 60;
const FRAME = 4096 + 24;

let folder = "";
let path = "";
let children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-"));
  path = join(folder, "w.db");
  children = [];
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  db.exec("CREATE TABLE item (n INTEGER PRIMARY KEY, body TEXT)");
  db.close();
  // Numbered commits that stand in the log alone, as a power cut leaves them.
  const script = `const db = new (require("node:sqlite").DatabaseSync)(process.argv[1]); db.exec("PRAGMA wal_autocheckpoint=0");
    for (let n = 1; n <= ${COMMITS}; n++) db.exec("INSERT INTO item VALUES (" + n + ", hex(randomblob(300)))"); process.kill(process.pid, "SIGKILL")`;
  spawnSync(process.execPath, ["-e", script, path]);
  for (const end of ["", "-wal", "-shm"]) copyFileSync(path + end, `${path}.kept${end}`);
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Puts the files back as the power cut left them. */
function reset(): void {
  for (const end of ["", "-wal", "-shm"]) copyFileSync(`${path}.kept${end}`, path + end);
}

/** The numbers in the database; they are 1 to some n without a gap, or something was torn. */
function readNumbers(): number {
  const db = openDatabase(path, { mode: "write", nowMs: 0 });
  try {
    expect(db.pragma("integrity_check")).toBe("ok");
    const rows = db.all<{ n: number }>("SELECT n FROM item ORDER BY n").map(({ n }) => n);
    expect(rows).toEqual(rows.map((_, index) => index + 1));
    return rows.length;
  } finally {
    db.close();
  }
}

test("a log that was cut anywhere gives the commits before the cut, and writing goes on", () => {
  const bytes = statSync(`${path}-wal`).size;
  expect(readNumbers()).toBe(COMMITS);
  let last = COMMITS;
  for (const part of [0.99, 0.7, 0.5, 0.2, 0.01]) {
    reset();
    truncateSync(`${path}-wal`, Math.floor(bytes * part));
    rmSync(`${path}-shm`);
    const found = readNumbers();
    expect(found).toBeLessThanOrEqual(last);
    last = found;
    const db = openDatabase(path, { mode: "write", nowMs: 0 });
    db.run("INSERT INTO item VALUES (?, 'after')", found + 1);
    db.close();
    expect(readNumbers()).toBe(found + 1);
  }
  expect(last).toBeLessThan(3);
});

test("a frame whose bytes fell over ends the log there", () => {
  const sound = readFileSync(`${path}-wal`);
  const frames = Math.floor((sound.length - 32) / FRAME);
  for (const frame of [frames - 1, Math.floor(frames / 2), 1]) {
    reset();
    const bytes = Buffer.from(sound);
    const at = 32 + frame * FRAME + 24 + 2_000;
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(`${path}-wal`, bytes);
    rmSync(`${path}-shm`);
    expect(readNumbers()).toBeLessThan(COMMITS);
  }
});

test("the index of the log is made anew when it is gone, or is rubbish", () => {
  rmSync(`${path}-shm`);
  expect(readNumbers()).toBe(COMMITS);
  reset();
  writeFileSync(`${path}-shm`, Buffer.alloc(32_768, 0xab));
  expect(readNumbers()).toBe(COMMITS);
});

test("a kill in the middle of a checkpoint loses nothing", async () => {
  const script = `const db = new (require("node:sqlite").DatabaseSync)(process.argv[1], { timeout: 1000 }); console.log("go");
    for (let n = Number(process.argv[2]); ; n++) { db.exec("INSERT INTO item VALUES (" + n + ", hex(randomblob(3000)))"); if (n % 5 === 0) db.exec("PRAGMA wal_checkpoint(RESTART)"); }`;
  let known = readNumbers();
  for (const afterMs of [5, 12, 20, 30]) {
    const child = spawn(process.execPath, ["-e", script, path, String(known + 1)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    const exit = once(child, "exit");
    setTimeout(() => child.kill("SIGKILL"), afterMs);
    await exit;
    const found = readNumbers();
    expect(found).toBeGreaterThanOrEqual(known);
    known = found;
  }
  expect(existsSync(path)).toBe(true);
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../clock.ts";
import type { ErrorRecord } from "../error.ts";
import { Checkpointer, LOG_PAGES_MAX, readLog } from "./checkpoint.ts";
import { Connection } from "./connection.ts";
import { logReaders } from "./file-users.ts";
import { holdLock } from "./liveness.ts";
import { openDatabase } from "./open.ts";

let folder = "";
let db: Connection;
let nowMono = 0;
let readers: ChildProcess[] = [];
const clock: Clock = { ...systemClock, monotonic: () => nowMono };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  db = openDatabase(join(folder, "w.db"), { mode: "write", nowMs: 0 });
  // What SQLite does of itself after a commit would hide what the checkpointer does.
  db.exec("PRAGMA wal_autocheckpoint=0; CREATE TABLE filler (a)");
  nowMono = 0;
  readers = [];
});
afterEach(() => {
  for (const reader of readers) reader.kill("SIGKILL");
  db.close();
  rmSync(folder, { recursive: true });
});

function enterWorker(uuid: string, types = '["exec"]'): number {
  return db.run(
    "INSERT INTO worker (uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono) VALUES (?, 'here', 1, 'b', 1, '/', ?, '{}', 1, 1, 0, 0)",
    uuid,
    types,
  ).lastInsertRowid;
}

/** Makes the log longer than SQLite would let it become. */
function fillLog(): void {
  db.exec("BEGIN; DELETE FROM filler");
  for (let n = 0; n <= LOG_PAGES_MAX; n++) db.run("INSERT INTO filler VALUES (zeroblob(4000))");
  db.exec("COMMIT");
  expect(readLog(db).log).toBeGreaterThan(LOG_PAGES_MAX);
}

/** A process that has read something and does not let go of it. */
async function startReader(): Promise<number> {
  const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1], { readOnly: true });
    db.exec("BEGIN; SELECT count(*) FROM filler"); console.log("reads"); setInterval(() => 0, 1000);`;
  const child = spawn(process.execPath, ["-e", script, db.path], { stdio: ["ignore", "pipe", "inherit"] });
  readers.push(child);
  if (child.stdout !== null) await once(child.stdout, "data");
  return child.pid ?? 0;
}

function checkpointer(id: number): { look(atMs: number): void; readonly alarms: ErrorRecord[] } {
  const alarms: ErrorRecord[] = [];
  const own = new Checkpointer({ db, clock, id, onStarved: (error) => void alarms.push(error) });
  return {
    alarms,
    look(atMs) {
      nowMono = atMs;
      own.look();
    },
  };
}

test("the numbers of the log are named as SQLite means them, and reading them changes nothing", () => {
  fillLog();
  const before = readLog(db);
  expect(before).toMatchObject({ busy: false, checkpointed: 0 });
  expect(readLog(db)).toEqual(before);
  db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  expect(readLog(db)).toEqual({ busy: false, log: before.log, checkpointed: before.log });
});

test("a long log is emptied, the next commit starts it anew, and the file keeps its size", () => {
  const own = checkpointer(enterWorker("own"));
  fillLog();
  own.look(0);
  expect(readLog(db)).toMatchObject({ checkpointed: readLog(db).log });
  db.run("INSERT INTO filler VALUES (1)");
  expect(readLog(db).log).toBeLessThan(5);
  expect(own.alarms).toEqual([]);
});

test("only the live worker with the smallest number does it; a process that runs one command does not count", () => {
  using _command = holdLock(db.path, "command");
  enterWorker("command", "[]");
  enterWorker("dead");
  const elected = checkpointer(enterWorker("elected"));
  const other = checkpointer(enterWorker("other"));
  using _lock = holdLock(db.path, "elected");
  fillLog();
  other.look(0);
  expect(readLog(db).checkpointed).toBe(0);
  elected.look(0);
  expect(readLog(db).checkpointed).toBe(readLog(db).log);
});

test("a log that a reader keeps from being emptied is an alarm that names the reader, and ends with it", async () => {
  const own = checkpointer(enterWorker("own"));
  const oldest = await startReader();
  fillLog();
  own.look(0);
  own.look(9_000);
  expect(own.alarms).toEqual([]);
  const later = await startReader();
  expect(new Set(logReaders(db.path)?.map(({ pid }) => pid))).toEqual(new Set([oldest, later]));
  own.look(11_000);
  own.look(12_000);
  expect(own.alarms).toHaveLength(1);
  const [alarm] = own.alarms;
  expect(alarm).toMatchObject({ code: "DATABASE_BUSY", details: { readers: [oldest], waited_ms: 11_000 } });
  expect(alarm?.message).toContain(`behind pid ${oldest} (node`);
  own.look(71_000);
  expect(own.alarms).toHaveLength(2);
  for (const reader of readers) {
    const exit = once(reader, "exit");
    reader.kill("SIGKILL");
    await exit;
  }
  own.look(140_000);
  expect(own.alarms).toHaveLength(2);
  expect(readLog(db).checkpointed).toBe(readLog(db).log);
});

test("a reader in this process is named as such", () => {
  const reader = Connection.open(db.path, { readOnly: true });
  const rows = reader.prepare("SELECT name FROM sqlite_schema").iterate();
  rows.next();
  expect(logReaders(db.path)).toMatchObject([{ pid: process.pid }]);
  rows.return?.();
  expect(logReaders(db.path)).toEqual([]);
  reader.close();
});

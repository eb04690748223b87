import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Connection } from "./connection.ts";
import { sqliteCode } from "./database-error.ts";

/** A worker process as the database knows it. */
export interface WorkerRow {
  readonly id: number;
  readonly uuid: string;
  readonly host: string;
  readonly pid: number;
  readonly schema: number;
}

/** Held for as long as a process lives: the kernel frees the lock at its death, however it died. */
export interface LivenessLock extends Disposable {
  readonly file: string;
}

/** Primary result codes (https://www.sqlite.org/rescode.html). */
const [CORRUPT, NOTADB] = [11, 26];

/** Held here too: a connection that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

const lockFolder = (databasePath: string): string => `${databasePath}.workers`;

/** The file whose lock tells that the worker lives. */
export function lockFile(databasePath: string, uuid: string): string {
  return join(lockFolder(databasePath), `${uuid}.db`);
}

/**
 * Takes the exclusive SQLite lock on this process's own small file. Unlike a pid it cannot be taken over by a stranger,
 * is held under SIGSTOP, and works across containers that share the volume.
 */
export function holdLock(databasePath: string, uuid: string): LivenessLock {
  mkdirSync(lockFolder(databasePath), { recursive: true, mode: 0o700 });
  const file = lockFile(databasePath, uuid);
  closeSync(openSync(file, "wx", 0o600));
  const db = new DatabaseSync(file, { timeout: 0 });
  db.exec("PRAGMA journal_mode=DELETE; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  held.add(db);
  return {
    file,
    [Symbol.dispose]() {
      held.delete(db);
      // Unlinked while it is still locked: a prober sees either a lock or no file.
      rmSync(file, { force: true });
      if (db.isOpen) db.close();
    },
  };
}

/** True while a process holds the lock. Never asked about one's own file: closing the probe could drop the lock. */
export function isLockHeld(databasePath: string, uuid: string): boolean {
  const file = lockFile(databasePath, uuid);
  if (!existsSync(file)) return false;
  let probe: DatabaseSync | undefined;
  try {
    const url = pathToFileURL(file);
    // A file that vanished since is not made again.
    url.search = "mode=rw";
    probe = new DatabaseSync(url, { timeout: 0 });
    probe.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch (error) {
    // A worker that runs out of file descriptors cannot probe, and must not take the others' jobs for that: what cannot be
    // asked counts as alive, and the lease decides. What is no SQLite file any more cannot be locked.
    return existsSync(file) && ![CORRUPT, NOTADB].includes(sqliteCode(error) ?? 0);
  } finally {
    probe?.close();
  }
}

/** The workers that have a lock file, held or left behind; also where the database itself cannot be read. */
export function lockNames(databasePath: string): string[] {
  try {
    return readdirSync(lockFolder(databasePath))
      .filter((name) => name.endsWith(".db"))
      .map((name) => name.slice(0, -".db".length));
  } catch {
    return [];
  }
}

/** Removes what a dead worker left. */
export function dropLock(databasePath: string, uuid: string): void {
  const file = lockFile(databasePath, uuid);
  rmSync(file, { force: true });
  rmSync(`${file}-journal`, { force: true });
}

/** The workers whose rows are open and whose locks are held. */
export function liveWorkers(db: Connection, except?: string): WorkerRow[] {
  return db
    .all<WorkerRow>("SELECT id, uuid, host, pid, schema FROM worker WHERE stopped IS NULL ORDER BY id")
    .filter((worker) => worker.uuid === except || isLockHeld(db.path, worker.uuid));
}

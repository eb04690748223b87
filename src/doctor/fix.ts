import { chmodSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { dropLock, isLockHeld, lockFile, lockNames } from "../database/liveness.ts";
import { toErrorRecord } from "../error.ts";
import { looseModes } from "./loose-modes.ts";

/** Something that the doctor can mend without asking what anybody meant. */
export interface Repair {
  /** A sentence in the imperative. */
  readonly plan: string;
  readonly apply: () => void;
}

/** What came of a repair. */
export interface Repaired {
  readonly plan: string;
  /** `null` when it was done. */
  readonly error: string | null;
}

/** A worker that starts makes its file a moment before it locks it. */
const LOCK_AGE_MS = 60_000;
/** What a killed backup or restore left; none takes that long. */
const LEFTOVER_AGE_MS = 24 * 3_600_000;

/**
 * What may be mended: rights, and files that dead processes left behind. Jobs are nobody's to move here: a worker takes
 * back what dead ones held.
 */
export function planRepairs(config: Config, clock: Clock): Repair[] {
  const { path } = config.database;
  return [...chmods(config), ...deadLocks(path, clock), ...leftovers(path, clock)];
}

/** Makes the repairs, each whatever came of the others. */
export function applyRepairs(repairs: readonly Repair[]): Repaired[] {
  return repairs.map(({ plan, apply }) => {
    try {
      apply();
      return { plan, error: null };
    } catch (error) {
      const { code, message } = toErrorRecord(error);
      return { plan, error: `${code}: ${message}` };
    }
  });
}

function chmods(config: Config): Repair[] {
  return looseModes(config).map(({ path, mode, wanted }) => ({
    plan: `change the rights of ${path} from ${mode.toString(8)} to ${wanted.toString(8)}`,
    apply: () => chmodSync(path, wanted),
  }));
}

function deadLocks(path: string, clock: Clock): Repair[] {
  return lockNames(path)
    .filter((uuid) => isOlder(lockFile(path, uuid), clock, LOCK_AGE_MS) && !isLockHeld(path, uuid))
    .map((uuid) => ({
      plan: `remove the lock file of a worker that is gone, ${lockFile(path, uuid)}`,
      apply: () => dropLock(path, uuid),
    }));
}

function leftovers(path: string, clock: Clock): Repair[] {
  const folder = dirname(path);
  const pattern = /\.(partial|restoring)-\d+(-wal|-shm|-journal)?$/;
  return namesIn(folder)
    .filter((name) => name.startsWith(basename(path)) && pattern.test(name))
    .map((name) => join(folder, name))
    .filter((file) => isOlder(file, clock, LEFTOVER_AGE_MS))
    .map((file) => ({
      plan: `remove what a killed command left, ${file}`,
      apply: () => rmSync(file, { force: true }),
    }));
}

function isOlder(file: string, clock: Clock, ageMs: number): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && clock.now() - stats.mtimeMs > ageMs;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

import type { Clock } from "../clock.ts";
import type { ErrorRecord } from "../error.ts";
import type { Connection } from "./connection.ts";
import { type FileUser, logReaders, sayUsers } from "./file-users.ts";
import { isLockHeld } from "./liveness.ts";

/** The write-ahead log, in pages (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint). */
export interface LogNumbers {
  /** Somebody writes, or is in the middle of a checkpoint. */
  readonly busy: boolean;
  /** Pages in the log. */
  readonly log: number;
  /** How many of them stand in the database file already. */
  readonly checkpointed: number;
}

/**
 * SQLite itself empties the log at 1,000 pages after a commit, where no reader is in the way; beyond four times that
 * somebody was, and the elected worker sees to it.
 */
export const LOG_PAGES_MAX = 4_000;
/** Pages that cannot be emptied for this long are an alarm, repeated this often. */
const STARVED_AFTER_MS = 10_000;
const ALARM_EVERY_MS = 60_000;
const CHECKPOINT_EVERY_MS = 1_000;

/** Reads the numbers of the log; writes nothing and waits for nobody. */
export function readLog(db: Connection): LogNumbers {
  return checkpoint(db, "NOOP");
}

/** What the checkpointer of a worker stands on. */
export interface CheckpointerParts {
  readonly db: Connection;
  readonly clock: Clock;
  /** This worker's number. */
  readonly id: number;
  readonly onStarved: (error: ErrorRecord) => void;
}

/**
 * Keeps the write-ahead log from growing without end. The live worker with the smallest number does it; the others only
 * look. It never truncates: a log that keeps its size is written faster than one that grows.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #starved: { readonly sinceMono: number; readonly readers: ReadonlyMap<number, FileUser> | undefined } | undefined;
  #triedAtMono = Number.NEGATIVE_INFINITY;
  #toldAtMono = Number.NEGATIVE_INFINITY;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** Called at every tick, outside a transaction; with a small log it costs one look at shared memory. */
  look(): void {
    const { db, clock } = this.#parts;
    if (readLog(db).log <= LOG_PAGES_MAX) {
      this.#starved = undefined;
      return;
    }
    const now = clock.monotonic();
    if (now - this.#triedAtMono < CHECKPOINT_EVERY_MS || !this.#isElected()) return;
    this.#triedAtMono = now;
    // Does what a passive one does, and where all is done lets the next writer start the log anew.
    const { log, checkpointed } = checkpoint(db, "RESTART");
    if (log - checkpointed > LOG_PAGES_MAX) this.#watch(now, log - checkpointed);
    else this.#starved = undefined;
  }

  /** A reader of a moment is gone at the next look; who is there at every one is in the way. */
  #watch(now: number, pages: number): void {
    const current = logReaders(this.#parts.db.path);
    const known = this.#starved?.readers;
    const stayed = current?.filter(({ pid }) => this.#starved === undefined || known?.has(pid) === true);
    const sinceMono = this.#starved?.sinceMono ?? now;
    this.#starved = {
      sinceMono,
      readers: stayed === undefined ? undefined : new Map(stayed.map((reader) => [reader.pid, reader])),
    };
    if (now - sinceMono < STARVED_AFTER_MS || now - this.#toldAtMono < ALARM_EVERY_MS) return;
    this.#toldAtMono = now;
    this.#parts.onStarved(starvation(this.#parts.db.path, pages, now - sinceMono, stayed));
  }

  /** Processes that run one command (their list of types is empty) look after nothing but their own job. */
  #isElected(): boolean {
    const { db, id } = this.#parts;
    const before = db.all<{ uuid: string }>(
      "SELECT uuid FROM worker WHERE stopped IS NULL AND types <> '[]' AND id < ? ORDER BY id",
      id,
    );
    return !before.some(({ uuid }) => isLockHeld(db.path, uuid));
  }
}

/** The alarm about a log that cannot be emptied. */
export function starvation(
  path: string,
  pages: number,
  forMs: number,
  readers: readonly FileUser[] | undefined,
): ErrorRecord {
  const seconds = Math.round(forMs / 1000);
  return {
    code: "DATABASE_BUSY",
    message: `the write-ahead log of database ${path} cannot be emptied: ${pages} pages have waited for ${seconds} s behind ${sayUsers(readers, "reader")}; end what reads, or the file grows until the disk is full`,
    details: { pages, waited_ms: Math.round(forMs), readers: readers?.map(({ pid }) => pid) ?? null },
  };
}

function checkpoint(db: Connection, mode: "NOOP" | "RESTART"): LogNumbers {
  const row = db.get<{ busy: number; log: number; checkpointed: number }>(`PRAGMA wal_checkpoint(${mode})`);
  // -1 where there is no log.
  return {
    busy: row?.busy === 1,
    log: Math.max(0, row?.log ?? 0),
    checkpointed: Math.max(0, row?.checkpointed ?? 0),
  };
}

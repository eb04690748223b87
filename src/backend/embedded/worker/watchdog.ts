import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import { dropLock, isLockHeld } from "../../../database/liveness.ts";
import type { Transaction, Writer } from "../../../database/writer.ts";
import { type Reclaimed, type ReclaimReason, reclaim } from "../attempts/reclaim.ts";
import type { Interned } from "../rows/intern.ts";
import type { Notice } from "../rows/notice.ts";
import { closeWorker, type OpenWorker, openWorkers } from "../rows/worker-row.ts";

/** What the watchdog stands on. */
export interface WatchdogParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  readonly interned: Interned;
  readonly boot: string;
  readonly ownId: number;
  readonly leaseMs: number;
  readonly onReclaimed: (worker: OpenWorker, reason: ReclaimReason, jobs: readonly Reclaimed[]) => void;
}

/**
 * Takes the jobs of workers that are gone: at once when the kernel has freed their lock, after their lease when they are
 * there and do not move.
 */
export class Watchdog {
  readonly #parts: WatchdogParts;
  #lookedAtMono: number;
  #graceUntilMono = 0;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
    this.#lookedAtMono = parts.clock.monotonic();
  }

  /** @param tickMs how often this is called when all is well. */
  async look(tickMs: number): Promise<void> {
    const { db, clock, ownId, leaseMs } = this.#parts;
    const now = clock.monotonic();
    // Who slept (a paused machine, SIGSTOP) cannot tell who else did: everybody gets a fresh lease first.
    if (now - this.#lookedAtMono - tickMs > leaseMs / 2) this.#graceUntilMono = now + leaseMs;
    this.#lookedAtMono = now;
    for (const worker of openWorkers(db)) {
      if (worker.id === ownId) continue;
      const reason = this.#judge(worker, now);
      if (reason !== undefined) await this.#take(worker, reason);
    }
  }

  #judge(worker: OpenWorker, now: number): ReclaimReason | undefined {
    const { db, boot } = this.#parts;
    if (!isLockHeld(db.path, worker.uuid)) return "dead";
    if (worker.boot !== boot || now < this.#graceUntilMono) return undefined;
    const expired = now - worker.beatMono > worker.leaseMs;
    return expired && db.get("SELECT 1 FROM lease WHERE worker = ? LIMIT 1", worker.id) !== undefined
      ? "expired"
      : undefined;
  }

  async #take(worker: OpenWorker, reason: ReclaimReason): Promise<void> {
    const { writer, interned, db, onReclaimed } = this.#parts;
    const jobs = await writer.mutate((tx: Transaction<Notice>) => {
      // Another watchdog may have been faster, or the worker may have renewed its lease.
      const current = openWorkers(tx.db).find(({ id }) => id === worker.id);
      if (current === undefined || (reason === "expired" && current.beatMono !== worker.beatMono)) return undefined;
      const taken = reclaim(tx, interned, worker.id, reason);
      if (reason === "dead") closeWorker(tx, worker.id);
      return taken;
    });
    if (jobs === undefined) return;
    if (reason === "dead") dropLock(db.path, worker.uuid);
    onReclaimed(worker, reason, jobs);
  }
}

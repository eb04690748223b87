import type { Clock, Timer } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import { promoteDue } from "../due/promote-due.ts";
import { NEXT_WAIT } from "../due/settle-due.ts";
import type { Notice } from "../rows/notice.ts";

const NEXT_DUE = `SELECT min(at) AS at FROM (
  SELECT min(due) AS at FROM delayed UNION ALL ${NEXT_WAIT} UNION ALL SELECT min(at) FROM expiry UNION ALL SELECT min(next) FROM schedule WHERE paused = 0)`;

/** What becomes due, and who handles what is not the database's own. */
export interface DueTimerParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  /** A running job's deadline has passed. */
  readonly onOverdue: (job: number) => void;
  /** Absent where this worker leaves schedules to others. */
  readonly fireSchedules: (() => Promise<void>) | undefined;
  readonly onError: (error: unknown) => void;
}

/** One timer for the earliest thing that becomes due: delayed jobs, expiries, deadlines, schedules. */
export class DueTimer {
  readonly #parts: DueTimerParts;
  #armed: { readonly atMs: number; readonly timer: Timer } | undefined;
  #stopped = false;

  constructor(parts: DueTimerParts) {
    this.#parts = parts;
  }

  /** Something becomes due at a time. */
  at(atMs: number): void {
    if (this.#stopped || (this.#armed !== undefined && this.#armed.atMs <= atMs)) return;
    this.#armed?.timer.cancel();
    const { clock } = this.#parts;
    const timer = clock.after(Math.max(0, atMs - clock.now()), () => void this.look(), { background: true });
    this.#armed = { atMs, timer };
  }

  /** Does what is due, and waits for what comes next. Also called by the tick, because other processes store times too. */
  async look(): Promise<void> {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    const { db, writer, clock, onOverdue, onError } = this.#parts;
    try {
      const next = this.#stopped ? undefined : db.get<{ at: number | null }>(NEXT_DUE)?.at;
      if (next == null) return;
      if (next > clock.now()) return this.at(next);
      const due = await writer.mutate((tx) => promoteDue(tx));
      for (const job of due.overdue) onOverdue(job);
      await this.#fire();
      if (due.more) this.at(clock.now());
      else if (due.nextMs !== undefined) this.at(Math.max(due.nextMs, clock.now() + 1));
    } catch (error) {
      onError(error);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#armed?.timer.cancel();
  }

  async #fire(): Promise<void> {
    const { db, clock, fireSchedules } = this.#parts;
    const due = db.get("SELECT 1 FROM schedule WHERE paused = 0 AND next <= ? LIMIT 1", clock.now()) !== undefined;
    if (due) await fireSchedules?.();
  }
}

import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Notice } from "../rows/notice.ts";
import { Wake } from "./wake.ts";
import { type Wait, Watchers } from "./watchers.ts";

/** A worker of this process, as far as it is told of commits. */
interface Sleeper {
  /** Something may be ready or cancelled. */
  wake(): void;
  /** Something becomes due at a time. */
  dueAt(atMs: number): void;
}

/** Tells of commits: at once the workers of this process and those who wait in it, and other processes through the wake files. */
export class Waker implements Disposable {
  readonly #clock: Clock;
  readonly #workers: ReadonlyMap<string, Sleeper>;
  readonly #watchers: Watchers;
  readonly #work: Wake;
  readonly #moved: Wake;

  /** @param workers those of this process at any time. */
  constructor(db: Connection, clock: Clock, workers: ReadonlyMap<string, Sleeper>) {
    this.#clock = clock;
    this.#workers = workers;
    this.#work = new Wake(db.path, "work");
    this.#moved = new Wake(db.path, "moved");
    this.#watchers = new Watchers(db, clock, () => this.#onForeignWork());
  }

  /** From now on the commits of other processes wake the workers of this one. */
  watchWork(): void {
    this.#watchers.watchWork();
  }

  /** Waits for jobs to move. @throws AppError `WAIT_TIMEOUT`; the signal's reason; what `look` throws. */
  wait<T>(wait: Wait<T>): Promise<T> {
    return this.#watchers.wait(wait);
  }

  /** This process committed. */
  tell(notices: readonly Notice[]): void {
    let work = false;
    let due = false;
    let moved = false;
    for (const notice of notices) {
      if (notice.kind === "work") work = true;
      else if (notice.kind === "moved") {
        moved = true;
        this.#watchers.moved(notice.jobs);
      } else {
        due = true;
        for (const worker of this.#workers.values()) worker.dueAt(notice.atMs);
      }
    }
    if (work) for (const worker of this.#workers.values()) worker.wake();
    if (work || due) this.#work.ring();
    if (moved) this.#moved.ring();
  }

  #onForeignWork(): void {
    for (const worker of this.#workers.values()) {
      worker.wake();
      worker.dueAt(this.#clock.now());
    }
  }

  [Symbol.dispose](): void {
    this.#watchers[Symbol.dispose]();
    this.#work[Symbol.dispose]();
    this.#moved[Symbol.dispose]();
  }
}

import type { DeadlineWheel, WheelEntry } from "../../../attempt/deadline-wheel.ts";
import type { Clock } from "../../../clock.ts";
import type { Slots } from "./slots.ts";

/** What an attempt's limit is kept with. */
export interface TimeLimitParts {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly slots: Slots;
}

/** The attempt as the heartbeat thread knows it. */
export interface LimitedAttempt {
  readonly epoch: number;
  readonly job: number;
  readonly run: number;
  readonly attempt: number;
  readonly startedMono: number;
  readonly timeoutMs: number;
  /** What is left until the job's deadline; infinite where there is none. */
  readonly deadlineLeftMs: number;
  readonly onOver: (byDeadline: boolean) => void;
}

/**
 * When an attempt's time is over: its timeout or the job's deadline, whichever comes first. Kept in this thread, which stops
 * the handler, and in the rows of the heartbeat thread, which ends a process that no longer listens.
 */
export class TimeLimit {
  readonly #parts: TimeLimitParts;
  readonly #attempt: LimitedAttempt;
  readonly #deadlineMono: number;
  readonly #slot: number;
  #entry: WheelEntry | undefined;
  #abandon: WheelEntry | undefined;
  #timeoutMono: number;
  #closed = false;

  constructor(parts: TimeLimitParts, attempt: LimitedAttempt) {
    this.#parts = parts;
    this.#attempt = attempt;
    const { epoch, job, run, startedMono } = attempt;
    this.#timeoutMono = startedMono + attempt.timeoutMs;
    this.#deadlineMono = startedMono + attempt.deadlineLeftMs;
    const { deadlineMono, byDeadline } = this.#row();
    this.#slot = parts.slots.enter({ deadlineMono, epoch, job, run, attempt: attempt.attempt, byDeadline });
    this.#arm();
  }

  /**
   * Runs what the attempt waits for and what is not its own work, such as the start of a runner on another machine: at most
   * `maxMs` of it is not counted against the timeout. The deadline counts on.
   */
  async outside<T>(maxMs: number, work: () => Promise<T>): Promise<T> {
    const from = this.#parts.clock.monotonic();
    this.#move(maxMs);
    try {
      return await work();
    } finally {
      const used = Math.min(maxMs, this.#parts.clock.monotonic() - from);
      this.#move(used - maxMs);
    }
  }

  /** Its time is over: after a grace its handler is no longer waited for. */
  abandonAfter(graceMs: number, action: () => void): void {
    const { wheel, clock } = this.#parts;
    wheel.remove(this.#abandon);
    this.#abandon = wheel.add(clock.monotonic() + graceMs, action);
  }

  close(): void {
    this.#closed = true;
    this.#parts.wheel.remove(this.#entry);
    this.#parts.wheel.remove(this.#abandon);
    this.#parts.slots.leave(this.#slot);
  }

  #move(byMs: number): void {
    if (this.#closed) return;
    this.#timeoutMono += byMs;
    this.#parts.slots.move(this.#slot, this.#row());
    this.#arm();
  }

  #arm(): void {
    const { deadlineMono, byDeadline } = this.#row();
    this.#parts.wheel.remove(this.#entry);
    this.#entry = this.#parts.wheel.add(deadlineMono, () => this.#attempt.onOver(byDeadline));
  }

  #row(): { deadlineMono: number; byDeadline: boolean } {
    const byDeadline = this.#deadlineMono < this.#timeoutMono;
    return { deadlineMono: byDeadline ? this.#deadlineMono : this.#timeoutMono, byDeadline };
  }
}

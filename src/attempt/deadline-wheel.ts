import type { Clock, Timer } from "../clock.ts";

/** How exactly a deadline is met: it is never early and at most this late, plus what the event loop adds. */
const TICK_MS = 20;

/** A deadline on the wheel; who took it off holds a name for nothing. */
export interface WheelEntry {
  readonly atMono: number;
  readonly action: () => void;
  /** Where it stands; -1 when it was met or taken off. */
  index: number;
}

/**
 * The deadlines of many attempts under one timer: a timer for each would cost more than many an attempt. The timer runs
 * only while there are deadlines.
 *
 * They stand in an array. A `Map` that lives long while its entries come and go keeps them from the garbage collector: each table
 * that it outgrows points to the next one, so one that grew old holds all later ones and what was in them (a third of a drained
 * job's memory, and a fifth of its time).
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #entries: WheelEntry[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param atMono by the monotonic clock, when `action` is called. */
  add(atMono: number, action: () => void): WheelEntry {
    const entry = { atMono, action, index: this.#entries.length };
    this.#entries.push(entry);
    this.#timer ??= this.#clock.after(TICK_MS, this.#tick, { background: true });
    return entry;
  }

  /** Taking one off again does nothing. */
  remove(entry: WheelEntry | undefined): void {
    if (entry === undefined || entry.index === -1) return;
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      last.index = entry.index;
      this.#entries[entry.index] = last;
    }
    entry.index = -1;
  }

  #tick = (): void => {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const entry of this.#entries.filter(({ atMono }) => atMono <= now)) {
      // What one action ends may be another's.
      if (entry.index === -1) continue;
      this.remove(entry);
      entry.action();
    }
    if (this.#entries.length > 0) this.#timer ??= this.#clock.after(TICK_MS, this.#tick, { background: true });
  };
}

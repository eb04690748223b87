import type { Clock, Timer } from "../../../src/clock.ts";

/** Pauses between two looks; a limit of a call is longer. */
const PAUSE_MS_MAX = 2_000;

/**
 * A clock for tests that speak to real servers: a pause passes at once and moves time by its length, a limit passes only
 * when the test says so. So nothing waits, and no busy machine makes a limit fire.
 */
export class ImpatientClock implements Clock {
  #nowMs = Date.UTC(2026, 10, 21, 12);
  readonly #limits = new Set<{ readonly atMs: number; readonly action: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    if (delayMs <= PAUSE_MS_MAX) {
      const timer = setTimeout(() => {
        this.#nowMs += delayMs;
        action();
      }, 1);
      return { cancel: () => clearTimeout(timer) };
    }
    const limit = { atMs: this.#nowMs + delayMs, action };
    this.#limits.add(limit);
    return { cancel: () => void this.#limits.delete(limit) };
  }

  /** Lets time pass for the limits. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const limit of [...this.#limits]) {
      if (limit.atMs <= this.#nowMs && this.#limits.delete(limit)) limit.action();
    }
  }
}

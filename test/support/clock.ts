import { type Clock, systemClock, type Timer } from "../../src/clock.ts";

interface Entry {
  readonly atMono: number;
  readonly action: () => void;
}

/** Turns of the event loop that let a commit, and what follows it, come to rest. */
const TURNS = 12;

/**
 * A clock that a test moves by hand. Its monotonic time begins at the machine's, because a worker's heartbeat thread
 * reads that one.
 */
export class TestClock implements Clock {
  #wallMs: number;
  #monoMs = systemClock.monotonic();
  readonly #entries = new Set<Entry>();

  constructor(nowMs: number = Date.UTC(2026, 10, 21, 12)) {
    this.#wallMs = nowMs;
  }

  now(): number {
    return Math.floor(this.#wallMs);
  }

  monotonic(): number {
    return this.#monoMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry: Entry = { atMono: this.#monoMs + Math.max(0, delayMs), action };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** Lets time pass: every timer fires in its turn, and what it started comes to rest before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#monoMs + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#move(Math.max(next.atMono, this.#monoMs));
      this.#entries.delete(next);
      next.action();
      await settle();
    }
    this.#move(end);
    await settle();
  }

  /** Sets the wall clock; monotonic time and timers stay. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  #move(toMono: number): void {
    this.#wallMs += toMono - this.#monoMs;
    this.#monoMs = toMono;
  }

  #next(untilMono: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries)
      if (entry.atMono <= untilMono && (first === undefined || entry.atMono < first.atMono)) first = entry;
    return first;
  }
}

/** Lets everything that is under way come to rest: commits are made in `setImmediate`. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

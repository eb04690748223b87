import type { Clock, Timer } from "../clock.ts";

/** How exactly a deadline is met: it is never early and at most this late, plus what the event loop adds. */
const TICK_MS = 20;

/**
 * The deadlines of many attempts under one timer: a timer for each would cost more than many an attempt. The timer runs
 * only while there are deadlines.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #entries = new Map<object, { readonly atMono: number; readonly action: () => void }>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param key names the entry; setting it again replaces it. */
  set(key: object, delayMs: number, action: () => void): void {
    this.#entries.set(key, { atMono: this.#clock.monotonic() + delayMs, action });
    this.#arm();
  }

  clear(key: object): void {
    this.#entries.delete(key);
  }

  #arm(): void {
    this.#timer ??= this.#clock.after(TICK_MS, this.#tick, { background: true });
  }

  #tick = (): void => {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const [key, entry] of this.#entries) {
      if (entry.atMono > now) continue;
      this.#entries.delete(key);
      entry.action();
    }
    if (this.#entries.size > 0) this.#arm();
  };
}

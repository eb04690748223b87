/** A pending call of {@link Clock.after}. */
export interface Timer {
  cancel(): void;
}

/**
 * Where time comes from. Everything that waits takes one, so that a test can move time by hand.
 *
 * Wall time is for schedules, due times and what people read; monotonic time is for leases and time-outs, because a wall clock can jump.
 */
export interface Clock {
  /** Unix time in whole milliseconds. */
  now(): number;
  /** Milliseconds since the machine started; comparable between processes of one boot, never between boots. */
  monotonic(): number;
  /**
   * Calls `action` once, `delayMs` from now or as soon after as the machine can. Delays beyond 24.8 days, which a plain
   * timer would run at once, are waited for in pieces. The timer does not keep the process alive when `background` is set.
   */
  after(delayMs: number, action: () => void, options?: { background?: boolean }): Timer;
}

/** The longest delay that `setTimeout` takes: 2^31 - 1 ms. */
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  after(delayMs, action, options) {
    let handle: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const sliceMs = Math.min(Math.max(leftMs, 0), TIMER_MAX_MS);
      handle = setTimeout(() => (leftMs > sliceMs ? wait(leftMs - sliceMs) : action()), sliceMs);
      if (options?.background) handle.unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

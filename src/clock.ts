import { AppError } from "./error.ts";

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

/** `performance.now` counts by the same clock from another moment, and takes a third of the time of `hrtime.bigint`. */
const STARTED_MONO = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => STARTED_MONO + performance.now(),
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

/** How long something may take. */
export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** What ends it earlier. */
  readonly signal?: AbortSignal | undefined;
}

/** How long one call may take, and what ends it earlier. */
export interface CallLimits extends Deadline {
  readonly signal: AbortSignal;
}

/** Does nothing for a time, or until the signal fires; it never rejects, so a caller that must stop looks at the signal. */
export async function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delayMs, resolve);
  using _ = signal && onAbort(signal, resolve);
  await promise;
  timer.cancel();
}

/** Calls `action` at each turn of a period until the returned function is called; the first time after one period. */
export function every(clock: Clock, periodMs: number, action: () => void): () => void {
  let timer: Timer;
  const turn = (): void => {
    timer = clock.after(periodMs, turn);
    action();
  };
  timer = clock.after(periodMs, turn);
  return () => timer.cancel();
}

/** True when the work was settled, well or badly, before the time ran out. The work goes on in any case. */
export function settlesWithin(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(timeoutMs, () => resolve(false));
    const settled = (): void => {
      timer.cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}

/**
 * Does something that listens to a signal, which fires when time has run out or with the caller's. It settles as that does:
 * what may not listen is wrapped in {@link unlessAborted}.
 *
 * @param late the reason when time has run out. Default: an AppError `TIMEOUT`.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, signal }: Deadline,
  act: (signal: AbortSignal) => Promise<T>,
  late = (): Error => new AppError("TIMEOUT", `it did not end within ${timeoutMs} ms`),
): Promise<T> {
  const stop = new AbortController();
  const timer = clock.after(timeoutMs, () => stop.abort(late()));
  using _ = signal && onAbort(signal, () => stop.abort(signal.reason));
  try {
    return await act(stop.signal);
  } finally {
    timer.cancel();
  }
}

/** Settles as the work does, or rejects with the signal's reason as soon as it fires; the work is then left to itself. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _ = onAbort(signal, () => reject(signal.reason));
  return await Promise.race([aborted, work]);
}

/** Calls `action` when the signal fires, at once where it has fired, unless it was disposed of before. */
export function onAbort(signal: AbortSignal, action: () => void): Disposable {
  const fired = (): void => action();
  if (signal.aborted) action();
  else signal.addEventListener("abort", fired, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", fired) };
}

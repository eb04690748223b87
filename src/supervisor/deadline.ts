import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";

/**
 * Runs what must not take for ever: its signal fires after `limitMs`, and what does not listen is left behind.
 *
 * @throws AppError `TIMEOUT`; the reason of `signal`; what it throws itself.
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { clock, limitMs, signal }: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<T> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const gone = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    stop.abort(reason);
    gone.reject(reason);
  };
  const onAbort = (): void => end(signal.reason);
  const timer = clock.after(limitMs, () => end(new AppError("TIMEOUT", `it did not end within ${limitMs} ms`)));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([run(stop.signal), gone.promise]);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Waits; ends early, without an error, when one of the signals fires. */
export function pause(clock: Clock, delayMs: number, signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      for (const signal of signals) signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    for (const signal of signals) signal.addEventListener("abort", end, { once: true });
  });
}

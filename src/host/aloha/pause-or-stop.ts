import type { Clock } from "../../clock.ts";

/** Resolves after `delayMs` of the clock, or as soon as the signal fires. */
export function pauseOrStop(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    signal.addEventListener("abort", end, { once: true });
  });
}

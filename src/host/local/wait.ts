import type { Clock, Timer } from "../../clock.ts";

/** Resolves after `delayMs` of the clock. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** True when the work settled within `delayMs`, false when the time ran out first. */
export function settlesWithin(clock: Clock, work: Promise<unknown>, delayMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(delayMs, () => resolve(false));
    const settled = (): void => {
      timer.cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}

/** Calls `action` every `periodMs` until the returned function is called. */
export function repeat(clock: Clock, periodMs: number, action: () => void): () => void {
  let timer: Timer;
  const turn = (): void => {
    timer = clock.after(periodMs, turn);
    action();
  };
  timer = clock.after(periodMs, turn);
  return () => timer.cancel();
}

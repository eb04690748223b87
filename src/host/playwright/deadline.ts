import type { Clock } from "../../clock.ts";

/** How long a call may take, and what ends it earlier. */
export interface CallLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Fired by {@link withDeadline} when time ran out. */
export const TIME_RAN_OUT = Symbol("time ran out");

/** Does something with a signal that fires after the time limit (reason {@link TIME_RAN_OUT}) or with the caller's. */
export async function withDeadline<T>(
  { clock, timeoutMs, signal }: CallLimits,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.after(timeoutMs, () => late.abort(TIME_RAN_OUT));
  try {
    return await act(AbortSignal.any([signal, late.signal]));
  } finally {
    timer.cancel();
  }
}

/** Settles as the work does, or is rejected with the reason of the signal, whatever then becomes of the work. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  return promise;
}

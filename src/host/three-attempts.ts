import { type Clock, pause } from "../clock.ts";

/** Waits before the second and the third attempt: what a machine that restarts or a full backlog needs. */
const WAITS_MS = [500, 1_000];

/** What the attempts are timed by. */
export interface AttemptTimes {
  readonly clock: Clock;
  /** Ends the wait; the attempts themselves have to listen to it too. */
  readonly signal: AbortSignal;
  /** No further attempt is begun that would begin later than this. Default: all three are made. */
  readonly timeoutMs?: number;
}

/**
 * Makes an attempt up to three times, as long as what came of it may be better in a moment.
 *
 * @returns what came of the last attempt; when the signal fired in between, of the one before.
 */
export async function threeAttempts<T>(
  attempt: () => Promise<T>,
  isTransient: (done: T) => boolean,
  { clock, signal, timeoutMs = Number.POSITIVE_INFINITY }: AttemptTimes,
): Promise<T> {
  const endMono = clock.monotonic() + timeoutMs;
  let done = await attempt();
  for (const waitMs of WAITS_MS) {
    if (signal.aborted || !isTransient(done) || clock.monotonic() + waitMs >= endMono) return done;
    await pause(clock, waitMs, signal);
    if (signal.aborted) return done;
    done = await attempt();
  }
  return done;
}
